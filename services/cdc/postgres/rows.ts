import type { HostValue } from '../../../runtime/lua/values.ts';
import type { Captured, Change, Row } from '../change.ts';
import { type Lsn, lsnText } from '../pgoutput/lsn.ts';
import { type Relation, type Tuple, UNCHANGED } from '../pgoutput/messages.ts';
import type { TransactionChange, TransactionHead } from './transactions.ts';

/** What every change of a source says of it. */
export interface SourceTraits {
  readonly source: string;
  readonly source_id: string;
  readonly generation: string;
}

/** A change of a transaction as consumers get it. `ordinal` counts the changes of the transaction from 1. */
export const capturedChange = (
  traits: SourceTraits,
  { xid, commitLsn, commitTime }: TransactionHead,
  { message, lsn, bytes, traceparent }: TransactionChange,
  ordinal: number,
): Captured => {
  const { relation } = message;
  const before = 'before' in message ? message.before?.tuple : undefined;
  const after = 'after' in message ? message.after : undefined;
  const unchanged = after === undefined ? [] : unchangedColumns(relation, after);
  const commit = lsnText(commitLsn);
  const change: Change = {
    source: traits.source,
    source_id: traits.source_id,
    op: message.tag,
    ...namesOf(relation),
    lsn: lsnText(lsn),
    commit_lsn: commit,
    cursor: `${commit}/${ordinal}`,
    generation: traits.generation,
    transaction: String(xid),
    xid,
    ...(before !== undefined && { before: rowOf(relation, before) }),
    ...(after !== undefined && { after: rowOf(relation, after) }),
    ...(unchanged.length > 0 && { unchanged }),
  };
  return {
    change,
    keys: message.tag === 'truncate' ? undefined : keysOf(relation, before, after),
    bytes,
    commitTime,
    commitPosition: commitLsn,
    ...(traceparent !== undefined && { traceparent }),
  };
};

/** A row that a snapshot has read; its values are texts, as those of the log. */
export const snapshotRow = (
  traits: SourceTraits,
  table: { readonly schema: string; readonly name: string; readonly primaryKey: readonly string[] },
  row: Readonly<Record<string, string | null>>,
  at: { readonly lsn: Lsn; readonly time: number },
): Captured => {
  const values = Object.entries(row).filter((entry): entry is [string, string] => entry[1] !== null);
  const change: Change = {
    source: traits.source,
    source_id: traits.source_id,
    op: 'snapshot',
    ...namesOf(table),
    lsn: lsnText(at.lsn),
    generation: traits.generation,
    after: Object.fromEntries(values),
  };
  const bytes = values.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  const { primaryKey } = table;
  const keys = primaryKey.length === 0 ? undefined : [keyText(primaryKey.map((name) => row[name] ?? ''))];
  return { change, keys, bytes, commitTime: at.time, commitPosition: at.lsn };
};

const namesOf = ({
  schema,
  name,
}: {
  schema: string;
  name: string;
}): { schema: string; table: string; relation: string } => ({
  schema,
  table: name,
  relation: `${schema}.${name}`,
});

const rowOf = ({ columns }: Relation, tuple: Tuple): Row => {
  const members: [string, HostValue][] = [];
  for (const [i, { name }] of columns.entries()) {
    const value = tuple[i];
    if (value !== null && value !== undefined && value !== UNCHANGED) members.push([name, value]);
  }
  return Object.fromEntries(members); // defines `__proto__` like any other column
};

const unchangedColumns = ({ columns }: Relation, tuple: Tuple): readonly string[] =>
  columns.filter((_column, i) => tuple[i] === UNCHANGED).map(({ name }) => name);

/**
 * The primary key as the replica identity tells it. Of another index it says nothing of the primary key, and `full` marks
 * every column: such a table keeps the order of all its changes.
 */
const keysOf = (
  relation: Relation,
  before: Tuple | undefined,
  after: Tuple | undefined,
): readonly string[] | undefined => {
  if (relation.identity !== 'default' || !relation.columns.some(({ isKey }) => isKey)) return undefined;
  const keys = [before, after].flatMap((tuple) => (tuple === undefined ? [] : [keyOf(relation, tuple)]));
  return [...new Set(keys)];
};
const keyOf = ({ columns }: Relation, tuple: Tuple): string =>
  keyText(columns.flatMap(({ isKey }, i) => (isKey ? [String(tuple[i] as string)] : [])));
const keyText = (values: readonly string[]): string => values.join('\0');
