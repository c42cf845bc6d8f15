import type { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import { PgoutputPlugin } from 'pg-logical-replication';
import { type Test, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { lsnText, parseLsn } from '../../../services/cdc/pgoutput/lsn.ts';
import { type PgOutputMessage, type Relation, type Tuple, UNCHANGED } from '../../../services/cdc/pgoutput/messages.ts';
import { pgOutputParser } from '../../../services/cdc/pgoutput/parser.ts';
import { connectReplication } from '../../../services/cdc/postgres/replication.ts';
import { type TransactionChange, transactionAssembler } from '../../../services/cdc/postgres/transactions.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, type Postgres, startPostgres } from '../../harness/postgres.ts';

interface Recorded {
  readonly bytes: Buffer;
  readonly lsn: string;
}

const addressOf = ({ host, port, database, username, password }: Postgres): ClientConfig => ({
  host,
  port,
  database,
  user: username,
  password,
  ssl: false,
  connectionTimeoutMillis: 10_000,
  application_name: 'test',
});

/** What the server sends of `write`: the bytes of a slot that was made before it. */
const record = async (
  postgres: Postgres,
  slot: string,
  options: Readonly<Record<string, string>>,
): Promise<readonly Recorded[]> => {
  const replication = await connectReplication(addressOf(postgres), systemClock());
  const [at] = await postgres.run<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  const target = parseLsn(at?.lsn ?? '');
  const messages: Recorded[] = [];
  let reached = 0n;
  await replication.stream(
    { slot, from: 0n, options: { publication_names: 'all_pub', messages: 'true', ...options } },
    {
      data: (bytes, from, lsn) => messages.push({ bytes: Buffer.from(bytes.subarray(from)), lsn }),
      keepalive: (position) => {
        reached = position;
      },
    },
  );
  await poll('all of it has come', () => {
    replication.confirm(0n);
    return reached >= target;
  });
  await replication.close();
  return messages;
};

const SCHEMA = `
  CREATE TYPE mood AS ENUM ('sad', 'happy');
  CREATE TABLE orders (id int PRIMARY KEY, name text, total numeric(10,2), at timestamptz, tags text[], data jsonb, m mood, raw bytea);
  CREATE TABLE plain (a int, b text);
  ALTER TABLE plain REPLICA IDENTITY FULL;
  CREATE TABLE big (id int PRIMARY KEY, n int, body text);
  ALTER TABLE big ALTER COLUMN body SET STORAGE EXTERNAL;
  CREATE TABLE "Odd ""name""" ("__proto__" int PRIMARY KEY, "ü" text);
  CREATE PUBLICATION all_pub FOR ALL TABLES;`;

const prepare = async (postgres: Postgres): Promise<void> => {
  await postgres.run(SCHEMA);
  // Slots belong to the server, not to the database.
  for (const slot of ['one', 'two']) {
    await postgres.run(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  }
};

const WRITES = [
  `INSERT INTO orders VALUES (1, 'ö', 12.30, '2024-05-06 07:08:09.123+00', '{a,NULL,"b c"}', '{"k": [1]}', 'happy', '\\x00ff'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
  `UPDATE orders SET name = 'x' WHERE id = 1`,
  'UPDATE orders SET id = 3 WHERE id = 2',
  'DELETE FROM orders WHERE id = 3',
  `INSERT INTO plain VALUES (1, 'one'), (2, NULL)`,
  `UPDATE plain SET b = 'two' WHERE a = 2`,
  'DELETE FROM plain WHERE a = 1',
  `INSERT INTO big VALUES (1, 1, repeat('long', 2000))`,
  'UPDATE big SET n = 2',
  `INSERT INTO "Odd ""name""" VALUES (7, 'ä')`,
  "ALTER TABLE orders DROP COLUMN tags, ADD COLUMN extra text DEFAULT 'd'",
  `INSERT INTO orders (id, extra) VALUES (4, 'e')`,
  'TRUNCATE orders, big RESTART IDENTITY CASCADE',
  `BEGIN; SELECT pg_logical_emit_message(true, 'perilune.trace', '00-aa-bb-01'); INSERT INTO plain VALUES (9, 'm'); SAVEPOINT s; INSERT INTO plain VALUES (10, 'gone'); ROLLBACK TO s; COMMIT`,
  `SELECT pg_logical_emit_message(false, 'other', 'x')`,
  `BEGIN; INSERT INTO plain VALUES (11, 'gone'); ROLLBACK`,
];

const ours = ({ columns }: Relation, tuple: Tuple): Record<string, unknown> =>
  Object.fromEntries(columns.map(({ name }, i) => [name, tuple[i] === UNCHANGED ? undefined : (tuple[i] ?? null)]));

/** A message of ours in the form of the other parser's, values as texts. */
const comparable = (message: PgOutputMessage): Record<string, unknown> => {
  switch (message.tag) {
    case 'begin':
      return { tag: 'begin', commitLsn: lsnText(message.finalLsn), xid: message.xid };
    case 'commit':
      return { tag: 'commit', commitLsn: lsnText(message.commitLsn), commitEndLsn: lsnText(message.endLsn) };
    case 'relation':
      return {
        tag: 'relation',
        oid: message.oid,
        name: `${message.schema}.${message.name}`,
        identity: message.identity,
        columns: message.columns.map(({ name, isKey, typeOid, typeModifier }) => [name, isKey, typeOid, typeModifier]),
      };
    case 'insert':
      return { tag: 'insert', of: message.relation.name, after: ours(message.relation, message.after) };
    case 'update':
    case 'delete': {
      const { relation, before } = message;
      const keys = relation.columns.filter(({ isKey }) => isKey).map(({ name }) => name);
      const old = before === undefined ? undefined : ours(relation, before.tuple);
      const isKey = before?.of === 'key';
      const key = old !== undefined && isKey ? Object.fromEntries(keys.map((name) => [name, old[name]])) : null;
      const changed = { tag: message.tag, of: relation.name, key, old: old !== undefined && !isKey ? old : null };
      return message.tag === 'delete' ? changed : { ...changed, after: ours(relation, message.after) };
    }
    case 'truncate':
      return {
        tag: 'truncate',
        of: message.relations.map(({ name }) => name),
        cascade: message.cascade,
        restartIdentity: message.restartIdentity,
      };
    case 'message':
      return {
        tag: 'message',
        transactional: message.transactional,
        prefix: message.prefix,
        content: Buffer.from(message.content).toString(),
      };
    default:
      return { tag: message.tag };
  }
};

// biome-ignore lint/suspicious/noExplicitAny: the other parser's messages.
const theirs = (message: any): Record<string, unknown> => {
  const lsn = (text: string) => lsnText(parseLsn(text));
  const row = (of: Record<string, unknown> | null) => (of === null ? null : { ...of });
  switch (message.tag) {
    case 'begin':
      return { tag: 'begin', commitLsn: lsn(message.commitLsn), xid: message.xid };
    case 'commit':
      return { tag: 'commit', commitLsn: lsn(message.commitLsn), commitEndLsn: lsn(message.commitEndLsn) };
    case 'relation':
      return {
        tag: 'relation',
        oid: message.relationOid,
        name: `${message.schema}.${message.name}`,
        identity: message.replicaIdentity,
        columns: message.columns.map((one: { name: string; flags: number; typeOid: number; typeMod: number }) => [
          one.name,
          (one.flags & 1) === 1,
          one.typeOid,
          one.typeMod,
        ]),
      };
    case 'insert':
      return { tag: 'insert', of: message.relation.name, after: row(message.new) };
    case 'update':
      return {
        tag: 'update',
        of: message.relation.name,
        key: row(message.key),
        old: row(message.old),
        after: row(message.new),
      };
    case 'delete':
      return { tag: 'delete', of: message.relation.name, key: row(message.key), old: row(message.old) };
    case 'truncate':
      return {
        tag: 'truncate',
        of: message.relations.map(({ name }: { name: string }) => name),
        cascade: message.cascade,
        restartIdentity: message.restartIdentity,
      };
    case 'message':
      return {
        tag: 'message',
        transactional: message.transactional,
        prefix: message.prefix,
        content: Buffer.from(message.content).toString(),
      };
    default:
      return { tag: message.tag };
  }
};

test('protocol 1: what a server sends is read as another parser reads it', async (t) => {
  const server = await startPostgres(t);
  if (server === undefined) {
    t.plan(0, POSTGRES_MISSING);
    return;
  }
  const postgres = await server.createDatabase('pgoutput');
  await prepare(postgres);
  for (const statement of WRITES) await postgres.run(statement);
  const recorded = await record(postgres, 'one', { proto_version: '1' });

  const parser = pgOutputParser();
  const messages = recorded.map(({ bytes }) => parser.parse(bytes));
  // Its own conversion of values is switched off: texts are compared.
  const other = new PgoutputPlugin({ protoVersion: 1, publicationNames: ['all_pub'] });
  const seen = recorded.map(({ bytes }) => {
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const message = other.parse(bytes) as any;
    if (message.tag === 'relation') for (const column of message.columns) column.parser = (text: string) => text;
    return theirs(message);
  });
  const found = messages.map(comparable);
  const known = (one: Record<string, unknown>): boolean => one.tag !== 'type' && one.tag !== 'origin';
  t.same(found.filter(known), seen.filter(known));
  for (const tag of ['begin', 'commit', 'relation', 'type', 'insert', 'update', 'delete', 'truncate', 'message']) {
    t.ok(
      messages.some((one) => one.tag === tag),
      `there was a ${tag}`,
    );
  }

  t.test('what only ours tells', async (t) => {
    const updates = messages.filter((one) => one.tag === 'update');
    const big = updates.find(({ relation }) => relation.name === 'big');
    t.same(big?.after, ['1', '2', UNCHANGED], 'a large value that was not sent again');
    const [first] = messages.filter((one) => one.tag === 'insert');
    t.same(
      first?.after,
      ['1', 'ö', '12.30', first?.after[3], '{a,NULL,"b c"}', '{"k": [1]}', 'happy', '\\x00ff'],
      'values are the texts of the server',
    );
    t.notOk(JSON.stringify(found).includes('gone'), 'what was rolled back is not there');
  });

  t.test('every message that is cut off or too long is refused', async (t) => {
    for (const { bytes } of recorded) {
      const again = pgOutputParser();
      for (const { bytes: one } of recorded) if (String.fromCharCode(one[0] ?? 0) === 'R') again.parse(one);
      if (bytes[0] === 0x49 || bytes[0] === 0x55 || bytes[0] === 0x44) continue; // its relation may have changed since
      t.throws(() => again.parse(bytes.subarray(0, -1)), /pgoutput/);
      t.throws(() => again.parse(Buffer.concat([bytes, Buffer.from([0])])), /pgoutput/);
    }
    t.throws(() => pgOutputParser().parse(Buffer.from('Xabc')), /unknown message "X"/);
    const insert = recorded.find(({ bytes }) => bytes[0] === 0x49)?.bytes ?? Buffer.alloc(0);
    t.throws(() => pgOutputParser().parse(insert), /which was not described before/);
  });
});

/** The changes of committed transactions, each as text, with the xid of its transaction. */
const assembled = (recorded: readonly Recorded[]): string[] => {
  const parser = pgOutputParser();
  const out: string[] = [];
  let xid = 0;
  const assemble = transactionAssembler({
    begin: (head) => {
      xid = head.xid;
      out.push('begin');
    },
    change: ({ message, traceparent }: TransactionChange) => {
      const { relation } = message;
      const after = 'after' in message ? JSON.stringify(ours(relation, message.after)) : '';
      out.push(`${xid} ${message.tag} ${relation.name} ${after} ${traceparent ?? ''}`);
    },
    commit: () => void out.push('commit'),
  });
  for (const { bytes, lsn } of recorded) assemble(parser.parse(bytes), lsn, bytes.length);
  return out;
};

test('protocol 2: streamed, interleaved and rolled back transactions come to what protocol 1 says', async (t) => {
  const server = await startPostgres(t);
  if (server === undefined) {
    t.plan(0, POSTGRES_MISSING);
    return;
  }
  const postgres = await server.createDatabase('streamed');
  await prepare(postgres);
  const connect = async (t: Test): Promise<Client> => {
    const client = new Client({ ...addressOf(postgres) });
    (client as unknown as { connection: { stream: Socket } }).connection.stream.setNoDelay(true);
    client.on('error', () => {});
    await client.connect();
    t.teardown(() => client.end());
    return client;
  };
  const [a, b, c] = [await connect(t), await connect(t), await connect(t)];
  const fill = (from: number, what: string) =>
    `INSERT INTO big SELECT n, n, '${what}' || n FROM generate_series(${from}, ${from + 1499}) AS n`;
  await a.query('BEGIN');
  await b.query('BEGIN');
  await c.query('BEGIN');
  await a.query(`SELECT pg_logical_emit_message(true, 'perilune.trace', '00-aa-bb-01')`);
  await a.query(fill(0, 'a'));
  await b.query(fill(10_000, 'b'));
  await c.query(fill(20_000, 'c'));
  await a.query('SAVEPOINT s');
  await a.query(fill(30_000, 'gone'));
  await a.query('ROLLBACK TO s');
  await b.query('SAVEPOINT kept');
  await b.query(fill(40_000, 'bb'));
  await b.query('RELEASE kept');
  await a.query(fill(50_000, 'aa'));
  await b.query('COMMIT');
  await postgres.run(`INSERT INTO plain VALUES (1, 'small')`);
  await a.query('COMMIT');
  await c.query('ROLLBACK');

  // The least that the server allows, so that these are large.
  await postgres.run(`ALTER DATABASE ${postgres.database} SET logical_decoding_work_mem = '64kB'`);
  const streamed = await record(postgres, 'two', { proto_version: '2', streaming: 'true' });
  const whole = await record(postgres, 'one', { proto_version: '1' });
  const tags = new Set(((parser) => streamed.map(({ bytes }) => parser.parse(bytes).tag))(pgOutputParser()));
  for (const tag of ['stream_start', 'stream_stop', 'stream_commit', 'stream_abort']) t.ok(tags.has(tag as never), tag);
  const found = assembled(streamed);
  t.equal(found.filter((line) => line === 'commit').length, 3);
  t.same(found, assembled(whole));
  t.notOk(
    found.some((line) => line.includes('gone') || line.includes('"c')),
    'what was rolled back is not there',
  );
  t.ok(
    found.some((line) => line.endsWith('00-aa-bb-01')),
    'the mark is there',
  );
  t.equal(found.filter((line) => line.includes('insert big')).length, 6000);
});
