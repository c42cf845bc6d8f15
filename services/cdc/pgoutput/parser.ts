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
  /** `bytes` may be overwritten afterwards: nothing of it is kept. @throws Error for what is no pgoutput message. */
  parse(bytes: Buffer): PgOutputMessage;
}

const IDENTITIES: Readonly<Record<string, ReplicaIdentity>> = { d: 'default', n: 'nothing', f: 'full', i: 'index' };

/**
 * The messages of the output plugin `pgoutput`, protocols 1 and 2:
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export const pgOutputParser = (): PgOutputParser => {
  const relations = new Map<number, Relation>();
  /** Between Stream Start and Stream Stop every message carries the id of its transaction. */
  let isInStream = false;

  const xidOf = (reader: MessageReader): { xid?: number } => (isInStream ? { xid: reader.uint32() } : {});
  const relationOf = (oid: number): Relation => {
    const relation = relations.get(oid);
    if (relation === undefined) throw new Error(`pgoutput: a row of relation ${oid}, which was not described before`);
    return relation;
  };

  const relation = (reader: MessageReader): Relation => {
    const { xid } = xidOf(reader);
    const described: Relation = {
      tag: 'relation',
      ...(xid !== undefined && { xid }),
      oid: reader.uint32(),
      // The empty text is pg_catalog.
      schema: reader.cstring() || 'pg_catalog',
      name: reader.cstring(),
      identity: identity(String.fromCharCode(reader.uint8())),
      columns: Array.from({ length: reader.int16() }, () => column(reader)),
    };
    relations.set(described.oid, described);
    return described;
  };

  const insert = (reader: MessageReader): PgOutputMessage => {
    const xid = xidOf(reader);
    const of = relationOf(reader.uint32());
    expect(reader, 'N');
    return { tag: 'insert', ...xid, relation: of, after: tuple(reader, of) };
  };

  const update = (reader: MessageReader): PgOutputMessage => {
    const xid = xidOf(reader);
    const of = relationOf(reader.uint32());
    const kind = String.fromCharCode(reader.uint8());
    if (kind === 'N') return { tag: 'update', ...xid, relation: of, after: tuple(reader, of) };
    const before = { of: oldKind(kind), tuple: tuple(reader, of) };
    expect(reader, 'N');
    return { tag: 'update', ...xid, relation: of, before, after: tuple(reader, of) };
  };

  const remove = (reader: MessageReader): PgOutputMessage => {
    const xid = xidOf(reader);
    const of = relationOf(reader.uint32());
    const kind = oldKind(String.fromCharCode(reader.uint8()));
    return { tag: 'delete', ...xid, relation: of, before: { of: kind, tuple: tuple(reader, of) } };
  };

  const truncate = (reader: MessageReader): PgOutputMessage => {
    const xid = xidOf(reader);
    const count = reader.int32();
    const flags = reader.uint8();
    return {
      tag: 'truncate',
      ...xid,
      cascade: (flags & 1) !== 0,
      restartIdentity: (flags & 2) !== 0,
      relations: Array.from({ length: count }, () => relationOf(reader.uint32())),
    };
  };

  const logicalMessage = (reader: MessageReader): PgOutputMessage => {
    const xid = xidOf(reader);
    return {
      tag: 'message',
      ...xid,
      transactional: (reader.uint8() & 1) !== 0,
      lsn: reader.lsn(),
      prefix: reader.cstring(),
      content: reader.bytes(reader.int32()),
    };
  };

  const commit = (reader: MessageReader) => {
    reader.uint8(); // flags, unused
    return { commitLsn: reader.lsn(), endLsn: reader.lsn(), commitTime: epochMs(reader.int64()) };
  };

  const read = (tag: string, reader: MessageReader): PgOutputMessage => {
    switch (tag) {
      case 'B':
        return { tag: 'begin', finalLsn: reader.lsn(), commitTime: epochMs(reader.int64()), xid: reader.uint32() };
      case 'C':
        return { tag: 'commit', ...commit(reader) };
      case 'O':
        return { tag: 'origin', commitLsn: reader.lsn(), name: reader.cstring() };
      case 'R':
        return relation(reader);
      case 'Y':
        return {
          tag: 'type',
          ...xidOf(reader),
          oid: reader.uint32(),
          schema: reader.cstring(),
          name: reader.cstring(),
        };
      case 'I':
        return insert(reader);
      case 'U':
        return update(reader);
      case 'D':
        return remove(reader);
      case 'T':
        return truncate(reader);
      case 'M':
        return logicalMessage(reader);
      case 'S':
        isInStream = true;
        return { tag: 'stream_start', xid: reader.uint32(), isFirst: reader.uint8() === 1 };
      case 'E':
        isInStream = false;
        return { tag: 'stream_stop' };
      case 'c':
        return { tag: 'stream_commit', xid: reader.uint32(), ...commit(reader) };
      case 'A':
        return { tag: 'stream_abort', xid: reader.uint32(), subxid: reader.uint32() };
      default:
        throw new Error(`pgoutput: unknown message ${JSON.stringify(tag)}`);
    }
  };

  return {
    parse(bytes) {
      const reader = new MessageReader(bytes);
      const tag = String.fromCharCode(reader.uint8());
      const message = read(tag, reader);
      if (reader.left > 0) throw new Error(`pgoutput: ${reader.left} bytes too many in message ${JSON.stringify(tag)}`);
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

const oldKind = (letter: string): 'key' | 'row' => {
  if (letter === 'K') return 'key';
  if (letter === 'O') return 'row';
  throw new Error(`pgoutput: unknown kind of row ${JSON.stringify(letter)}`);
};

const expect = (reader: MessageReader, letter: string): void => {
  const found = String.fromCharCode(reader.uint8());
  if (found !== letter)
    throw new Error(`pgoutput: ${JSON.stringify(found)} where ${JSON.stringify(letter)} was expected`);
};

const tuple = (reader: MessageReader, { columns, schema, name }: Relation): Tuple => {
  const count = reader.int16();
  if (count !== columns.length) {
    throw new Error(`pgoutput: a row of ${count} columns in ${schema}.${name}, which has ${columns.length}`);
  }
  return Array.from({ length: count }, () => value(reader));
};

const value = (reader: MessageReader): Tuple[number] => {
  const kind = String.fromCharCode(reader.uint8());
  switch (kind) {
    case 'n':
      return null;
    case 'u':
      return UNCHANGED;
    case 't':
      return reader.text(reader.int32());
    case 'b':
      return reader.bytes(reader.int32());
    default:
      throw new Error(`pgoutput: unknown kind of value ${JSON.stringify(kind)}`);
  }
};
