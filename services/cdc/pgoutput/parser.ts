import { epochMs } from './lsn.ts';
import {
  type Column,
  type PgOutputMessage,
  type Relation,
  type ReplicaIdentity,
  type Tuple,
  UNCHANGED,
} from './messages.ts';
import { MessageReader } from './reader.ts';

/** Reads the messages of one replication stream in order: a row is understood by the relation that came before it. */
export interface PgOutputParser {
  /**
   * The message from `from` on. `bytes` may be overwritten afterwards: nothing of it is kept.
   * @throws Error for what is no pgoutput message.
   */
  parse(bytes: Buffer, from?: number): PgOutputMessage;
}

const IDENTITIES: Readonly<Record<string, ReplicaIdentity>> = { d: 'default', n: 'nothing', f: 'full', i: 'index' };

/** The letters of the protocol, as bytes. */
const TAG = {
  BEGIN: 0x42, // B
  COMMIT: 0x43, // C
  ORIGIN: 0x4f, // O
  RELATION: 0x52, // R
  TYPE: 0x59, // Y
  INSERT: 0x49, // I
  UPDATE: 0x55, // U
  DELETE: 0x44, // D
  TRUNCATE: 0x54, // T
  MESSAGE: 0x4d, // M
  STREAM_START: 0x53, // S
  STREAM_STOP: 0x45, // E
  STREAM_COMMIT: 0x63, // c
  STREAM_ABORT: 0x41, // A
} as const;
/** What a row is: the new one, the key of the old one, or all of that. */
const NEW = 0x4e; // N
const KEY = 0x4b; // K
const OLD = 0x4f; // O
const VALUE = { NULL: 0x6e, UNCHANGED: 0x75, TEXT: 0x74, BINARY: 0x62 } as const; // n, u, t, b

/**
 * The messages of the output plugin `pgoutput`, protocols 1 and 2:
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export const pgOutputParser = (): PgOutputParser => {
  const relations = new Map<number, Relation>();
  /** Between Stream Start and Stream Stop every message carries the id of its transaction. */
  let isInStream = false;

  /** One for all messages: each is read to its end before the next begins. */
  const reader = new MessageReader();

  const xidOf = (): number | undefined => (isInStream ? reader.uint32() : undefined);
  const relationOf = (oid: number): Relation => {
    const relation = relations.get(oid);
    if (relation === undefined) throw new Error(`pgoutput: a row of relation ${oid}, which was not described before`);
    return relation;
  };

  const relation = (): Relation => {
    const xid = xidOf();
    const oid = reader.uint32();
    // The empty text is pg_catalog.
    const schema = reader.cstring() || 'pg_catalog';
    const name = reader.cstring();
    const replicaIdentity = identity(String.fromCharCode(reader.uint8()));
    const columns = Array.from({ length: reader.int16() }, () => column(reader));
    const keyPositions = columns.flatMap(({ isKey }, i) => (isKey ? [i] : []));
    const fullName = `${schema}.${name}`;
    const described: Relation = {
      tag: 'relation',
      xid,
      oid,
      schema,
      name,
      identity: replicaIdentity,
      columns,
      fullName,
      keyPositions,
    };
    relations.set(oid, described);
    return described;
  };

  const insert = (): PgOutputMessage => {
    const xid = xidOf();
    const of = relationOf(reader.uint32());
    expectNew(reader);
    return { tag: 'insert', xid, relation: of, after: tuple(reader, of) };
  };

  const update = (): PgOutputMessage => {
    const xid = xidOf();
    const of = relationOf(reader.uint32());
    const kind = reader.uint8();
    if (kind === NEW) return { tag: 'update', xid, relation: of, before: undefined, after: tuple(reader, of) };
    const before = { of: oldKind(kind), tuple: tuple(reader, of) };
    expectNew(reader);
    return { tag: 'update', xid, relation: of, before, after: tuple(reader, of) };
  };

  const remove = (): PgOutputMessage => {
    const xid = xidOf();
    const of = relationOf(reader.uint32());
    const kind = oldKind(reader.uint8());
    return { tag: 'delete', xid, relation: of, before: { of: kind, tuple: tuple(reader, of) } };
  };

  const truncate = (): PgOutputMessage => {
    const xid = xidOf();
    const count = reader.int32();
    const flags = reader.uint8();
    return {
      tag: 'truncate',
      xid,
      cascade: (flags & 1) !== 0,
      restartIdentity: (flags & 2) !== 0,
      relations: Array.from({ length: count }, () => relationOf(reader.uint32())),
    };
  };

  const logicalMessage = (): PgOutputMessage => {
    const xid = xidOf();
    return {
      tag: 'message',
      xid,
      transactional: (reader.uint8() & 1) !== 0,
      lsn: reader.lsn(),
      prefix: reader.cstring(),
      content: reader.bytes(reader.int32()),
    };
  };

  const commit = () => {
    reader.uint8(); // flags, unused
    return { commitLsn: reader.lsn(), endLsn: reader.lsn(), commitTime: epochMs(reader.int64()) };
  };

  const read = (tag: number): PgOutputMessage => {
    switch (tag) {
      case TAG.BEGIN:
        return { tag: 'begin', finalLsn: reader.lsn(), commitTime: epochMs(reader.int64()), xid: reader.uint32() };
      case TAG.COMMIT:
        return { tag: 'commit', ...commit() };
      case TAG.ORIGIN:
        return { tag: 'origin', commitLsn: reader.lsn(), name: reader.cstring() };
      case TAG.RELATION:
        return relation();
      case TAG.TYPE:
        return {
          tag: 'type',
          xid: xidOf(),
          oid: reader.uint32(),
          schema: reader.cstring(),
          name: reader.cstring(),
        };
      case TAG.INSERT:
        return insert();
      case TAG.UPDATE:
        return update();
      case TAG.DELETE:
        return remove();
      case TAG.TRUNCATE:
        return truncate();
      case TAG.MESSAGE:
        return logicalMessage();
      case TAG.STREAM_START:
        isInStream = true;
        return { tag: 'stream_start', xid: reader.uint32(), isFirst: reader.uint8() === 1 };
      case TAG.STREAM_STOP:
        isInStream = false;
        return { tag: 'stream_stop' };
      case TAG.STREAM_COMMIT:
        return { tag: 'stream_commit', xid: reader.uint32(), ...commit() };
      case TAG.STREAM_ABORT:
        return { tag: 'stream_abort', xid: reader.uint32(), subxid: reader.uint32() };
      default:
        throw new Error(`pgoutput: unknown message ${letter(tag)}`);
    }
  };

  return {
    parse(bytes, from = 0) {
      reader.begin(bytes, from);
      const tag = reader.uint8();
      const message = read(tag);
      if (reader.left > 0) throw new Error(`pgoutput: ${reader.left} bytes too many in message ${letter(tag)}`);
      return message;
    },
  };
};

const identity = (letter: string): ReplicaIdentity => {
  const found = IDENTITIES[letter];
  if (found === undefined) throw new Error(`pgoutput: unknown replica identity ${JSON.stringify(letter)}`);
  return found;
};

const column = (reader: MessageReader): Column => ({
  isKey: (reader.uint8() & 1) !== 0,
  name: reader.cstring(),
  typeOid: reader.uint32(),
  typeModifier: reader.int32(),
});

const oldKind = (kind: number): 'key' | 'row' => {
  if (kind === KEY) return 'key';
  if (kind === OLD) return 'row';
  throw new Error(`pgoutput: unknown kind of row ${letter(kind)}`);
};

const expectNew = (reader: MessageReader): void => {
  const found = reader.uint8();
  if (found !== NEW) throw new Error(`pgoutput: ${letter(found)} where ${letter(NEW)} was expected`);
};

const tuple = (reader: MessageReader, { columns, fullName }: Relation): Tuple => {
  const count = reader.int16();
  if (count !== columns.length) {
    throw new Error(`pgoutput: a row of ${count} columns in ${fullName}, which has ${columns.length}`);
  }
  const values = new Array<Tuple[number]>(count);
  for (let i = 0; i < count; i += 1) values[i] = value(reader);
  return values;
};

const value = (reader: MessageReader): Tuple[number] => {
  const kind = reader.uint8();
  switch (kind) {
    case VALUE.NULL:
      return null;
    case VALUE.UNCHANGED:
      return UNCHANGED;
    case VALUE.TEXT:
      return reader.text(reader.int32());
    case VALUE.BINARY:
      return reader.bytes(reader.int32());
    default:
      throw new Error(`pgoutput: unknown kind of value ${letter(kind)}`);
  }
};

const letter = (code: number): string => JSON.stringify(String.fromCharCode(code));
