import type { HostValue } from '../../../runtime/lua/values.ts';
import type { Captured, Change, Op, Row } from '../change.ts';
import { type Lsn, lsnText } from '../pgoutput/lsn.ts';
import { type Relation, type Tuple, UNCHANGED } from '../pgoutput/messages.ts';
import type { TransactionChange, TransactionHead } from './transactions.ts';

/** What every change of a source says of it. */
export interface SourceTraits {
  readonly source: string;
  readonly source_id: string;
  readonly generation: string;
}

/** What all changes of one transaction say of it: its texts are made once. */
export interface ChangeOrigin {
  readonly traits: SourceTraits;
  readonly head: TransactionHead;
  readonly commit: string;
  readonly transaction: string;
}
export const changeOrigin = (traits: SourceTraits, head: TransactionHead): ChangeOrigin => ({
  traits,
  head,
  commit: lsnText(head.commitLsn),
  transaction: String(head.xid),
});

/** A change of a transaction as consumers get it. `ordinal` counts the changes of the transaction from 1. */
export const capturedChange = (origin: ChangeOrigin, change: TransactionChange, ordinal: number): Captured =>
  new LoggedChange(origin, change, ordinal);

class LoggedChange implements Captured {
  readonly change: Change;
  readonly bytes: number;
  readonly commitTime: number;
  readonly commitPosition: Lsn;
  readonly traceparent: string | undefined;
  readonly #message: TransactionChange['message'];

  constructor(origin: ChangeOrigin, { message, lsn, bytes, traceparent }: TransactionChange, ordinal: number) {
    const { head } = origin;
    this.change = new RowChange(origin, message, lsn, ordinal);
    this.bytes = bytes;
    this.commitTime = head.commitTime;
    this.commitPosition = head.commitLsn;
    this.traceparent = traceparent;
    this.#message = message;
  }

  /** Made when it is asked for: who hands changes on one by one needs no keys. */
  get keys(): readonly string[] | undefined {
    const message = this.#message;
    return message.tag === 'truncate' ? undefined : keysOf(message.relation, beforeOf(message), afterOf(message));
  }
}

/** One class for all changes, so that all of them have the same shape but for their rows. */
class RowChange implements Change {
  readonly source: string;
  readonly source_id: string;
  readonly op: Op;
  readonly schema: string;
  readonly table: string;
  readonly relation: string;
  readonly lsn: string;
  readonly commit_lsn: string;
  readonly cursor: string;
  readonly generation: string;
  readonly transaction: string;
  readonly xid: number;
  declare readonly before?: Row;
  declare readonly after?: Row;
  declare readonly unchanged?: readonly string[];

  constructor(
    { traits, head, commit, transaction }: ChangeOrigin,
    message: TransactionChange['message'],
    lsn: string,
    ordinal: number,
  ) {
    const { relation } = message;
    this.source = traits.source;
    this.source_id = traits.source_id;
    this.op = message.tag;
    this.schema = relation.schema;
    this.table = relation.name;
    this.relation = relation.fullName;
    this.lsn = lsn;
    this.commit_lsn = commit;
    this.cursor = `${commit}/${ordinal}`;
    this.generation = traits.generation;
    this.transaction = transaction;
    this.xid = head.xid;
    const before = beforeOf(message);
    const after = afterOf(message);
    if (before !== undefined) this.before = rowOf(relation, before);
    if (after === undefined) return;
    this.after = rowOf(relation, after);
    if (after.includes(UNCHANGED)) this.unchanged = unchangedColumns(relation, after);
  }
}

const beforeOf = (message: TransactionChange['message']): Tuple | undefined =>
  message.tag === 'update' || message.tag === 'delete' ? message.before?.tuple : undefined;
const afterOf = (message: TransactionChange['message']): Tuple | undefined =>
  message.tag === 'insert' || message.tag === 'update' ? message.after : undefined;

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
  const row: Record<string, HostValue> = {};
  for (let i = 0; i < columns.length; i += 1) {
    const value = tuple[i];
    if (value === null || value === undefined || value === UNCHANGED) continue;
    const { name } = columns[i] as Relation['columns'][number];
    if (name === '__proto__') define(row, name, value);
    else row[name] = value;
  }
  return row;
};
/** An assignment would set the prototype. */
const define = (row: object, name: string, value: HostValue): void =>
  void Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true });

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
  if (relation.identity !== 'default' || relation.keyPositions.length === 0) return undefined;
  const old = before === undefined ? undefined : keyOf(relation, before);
  const now = after === undefined ? undefined : keyOf(relation, after);
  if (old === undefined || now === undefined || old === now) return [now ?? old ?? ''];
  return [old, now];
};
const keyOf = ({ keyPositions }: Relation, tuple: Tuple): string =>
  keyText(keyPositions.map((position) => String(tuple[position] as string)));
const keyText = (values: readonly string[]): string => values.join('\0');
