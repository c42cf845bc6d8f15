import type { HostValue } from '../../../runtime/lua/values.ts';
import type { ChangeRow } from '../../sql/port.ts';
import type { Captured, Change, Row } from '../change.ts';

/** What every change of a source says of it. */
export interface SourceTraits {
  readonly source: string;
  readonly source_id: string;
  readonly generation: string;
}

/** Names of the primary key's columns; undefined for a table that is not known (any more), or has none. */
export type KeysOfTable = (table: string) => readonly string[] | undefined;

/** A line of the log as consumers get it. */
export const capturedChange = (
  traits: SourceTraits,
  { seq, time, op, table, before: old, after: fresh }: ChangeRow & { readonly op: 'insert' | 'update' | 'delete' },
  traceparent: string | undefined,
  keysOfTable: KeysOfTable,
): Captured => {
  const before = old === null ? undefined : rowOf(old);
  const after = fresh === null ? undefined : rowOf(fresh);
  const change: Change = {
    source: traits.source,
    source_id: traits.source_id,
    op,
    ...namesOf(table),
    lsn: '',
    cursor: String(seq),
    generation: traits.generation,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
  };
  return {
    change,
    keys: keysOf(keysOfTable(table), before, after),
    bytes: (old?.length ?? 0) + (fresh?.length ?? 0),
    commitTime: time,
    commitPosition: BigInt(seq),
    ...(traceparent !== undefined && { traceparent }),
  };
};

/** A row that was there; its values are as those of changes. */
export const snapshotRow = (
  traits: SourceTraits,
  table: string,
  text: string,
  keysOfTable: KeysOfTable,
  time: number,
): Captured => {
  const after = rowOf(text);
  const change: Change = {
    source: traits.source,
    source_id: traits.source_id,
    op: 'snapshot',
    ...namesOf(table),
    lsn: '',
    generation: traits.generation,
    after,
  };
  const keys = keysOf(keysOfTable(table), undefined, after);
  return { change, keys, bytes: text.length, commitTime: time, commitPosition: 0n };
};

const namesOf = (table: string) => ({ schema: 'main', table, relation: table });

/** @throws Error for a text that is none of the log's. */
const rowOf = (text: string): Row => {
  const parsed = JSON.parse(text) as Readonly<Record<string, string | null>> | readonly Record<string, string | null>[];
  const members: [string, HostValue][] = [];
  for (const part of Array.isArray(parsed) ? parsed : [parsed]) {
    for (const [name, value] of Object.entries(part as Record<string, string | null>)) {
      if (value !== null) members.push([name, cellOf(value)]);
    }
  }
  return Object.fromEntries(members); // defines `__proto__` like any other column
};

/** Whole numbers that a double does not hold stay decimal text, as in the results of queries. */
const cellOf = (typed: string): HostValue => {
  const value = typed.slice(1);
  switch (typed[0]) {
    case 't':
      return value;
    case 'i':
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    case 'r':
      return Number(value.replace('Inf', 'Infinity'));
    default:
      return new Uint8Array(Buffer.from(value, 'hex'));
  }
};

const keysOf = (
  columns: readonly string[] | undefined,
  before: Row | undefined,
  after: Row | undefined,
): readonly string[] | undefined => {
  if (columns === undefined || columns.length === 0) return undefined;
  const keys = new Set<string>();
  for (const row of [before, after]) {
    if (row === undefined) continue;
    const values = columns.map((name) => row[name]);
    // A key that was renamed since, or holds NULL: then the order of the whole table is kept.
    if (values.includes(undefined)) return undefined;
    keys.add(values.map(String).join('\0'));
  }
  return [...keys];
};
