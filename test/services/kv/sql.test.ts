import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { t as root, type Test, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { rootContext } from '../../../runtime/context.ts';
import { sqlBackend } from '../../../services/kv/sql.ts';
import { prefixEnd } from '../../../services/kv/sql-statements.ts';
import { DATABASES, type Database } from '../../../services/sql/port.ts';
import { programIn } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, startPostgres } from '../../harness/postgres.ts';
import { decode, type EntryText, lua, surfaceBench } from '../surface-bench.ts';
import { storeContract } from './contract.ts';

const server = await startPostgres(root);
const skip = server === undefined && POSTGRES_MISSING;
const MEMORY: EntryText = { id: 'app:db', kind: 'db.sql.sqlite', file: ':memory:' };
const postgresEntry = async (): Promise<EntryText> => {
  if (server === undefined) throw new Error(POSTGRES_MISSING);
  const { host, port, database, username, password } = await server.createDatabase('kv');
  return { id: 'app:db', kind: 'db.sql.postgres', host, port, database, username, password };
};
const databaseOf = async (t: Pick<Test, 'teardown'>, entry: EntryText): Promise<Database> => {
  const database = (await surfaceBench(t, [entry])).env.use(DATABASES).get('app:db');
  if (database === undefined) throw new Error('no database');
  return database;
};
const caller = { context: rootContext, signal: rootContext.signal };
const run = (database: Database, text: string) => database.execute({ text, params: [] }, caller);
const rowsOf = async (database: Database, text: string) => (await database.query({ text, params: [] }, caller)).rows;
const storeOn = (
  database: Database,
  name: string,
  more: { cleanupIntervalMs?: number; failed?: () => void; missing?: (error: Error) => void } = {},
) =>
  sqlBackend(systemClock(), {
    id: 'app:store',
    type: database.type,
    database: () => database,
    table: { name, key: 'key', value: 'value', expiry: 'expires_at' },
    cleanupIntervalMs: more.cleanupIntervalMs ?? 0,
    tableMissing:
      more.missing ??
      ((error) => {
        throw error;
      }),
    sweepFailed: more.failed ?? (() => {}),
  });

const KINDS = [
  {
    name: 'sqlite',
    off: false,
    entry: async () => MEMORY,
    columns: 'key TEXT PRIMARY KEY, value TEXT, expires_at REAL',
  },
  {
    name: 'sqlite, strict and whole seconds',
    off: false,
    entry: async () => MEMORY,
    columns: 'key TEXT PRIMARY KEY, value TEXT, expires_at INTEGER',
    options: ' STRICT',
  },
  {
    name: 'postgres',
    off: skip,
    entry: postgresEntry,
    columns: 'key text PRIMARY KEY, value text, expires_at double precision',
  },
  {
    name: 'postgres, jsonb and whole seconds',
    off: skip,
    entry: postgresEntry,
    columns: 'key varchar(255) PRIMARY KEY, value jsonb, expires_at bigint',
  },
];

for (const { name, off, entry, columns, options = '' } of KINDS) {
  if (off !== false) {
    test(name, { skip: off }, async () => {});
    continue;
  }
  const shared = await databaseOf(root, await entry());
  let tables = 0;
  const fresh = async (more: Parameters<typeof storeOn>[2] = {}) => {
    tables += 1;
    const table = `store_${tables}`;
    await run(shared, `CREATE TABLE ${table} (${columns})${options}`);
    return { table, store: storeOn(shared, table, more) };
  };
  const started = async (t: Test, more: Parameters<typeof storeOn>[2] = {}) => {
    const made = await fresh(more);
    await made.store.start();
    t.teardown(() => made.store.stop());
    return made;
  };
  storeContract(`sql on ${name}`, {
    make: async () => (await fresh()).store,
    pass: (seconds) => wait(seconds * 1000 + 20),
    isBounded: false,
    isVersioned: false,
  });

  test(`${name}: rows hold the reported key, JSON text and the Unix seconds of the expiry`, async (t) => {
    const { table, store } = await started(t);
    await store.set(':plain', { a: [1, 'ä'] }, undefined);
    await store.set('user:1', 'x', 100.25);
    const rows = await rowsOf(
      shared,
      `SELECT key, value, expires_at FROM ${table} ORDER BY key COLLATE ${shared.type === 'sqlite' ? 'BINARY' : '"C"'}`,
    );
    t.same(
      rows.map(([key]) => key),
      [':plain', 'user:1'],
    );
    t.same(JSON.parse(String(rows[0]?.[1])), { a: [1, 'ä'] });
    t.equal(rows[0]?.[2] ?? null, null);
    const left = Number(rows[1]?.[2]) - Date.now() / 1000;
    t.ok(left > 70 && left < 101.5, `${left} s left`);
  });

  test(`${name}: never early, and expired rows are invisible unswept`, async (t) => {
    const { table, store } = await started(t);
    await store.set(':short', 1, 0.5);
    t.equal(await store.has(':short'), true);
    await poll('the expiry', async () => !(await store.has(':short')));
    t.same(await rowsOf(shared, `SELECT key FROM ${table}`), [[':short']], 'nobody has swept');
    t.same((await store.put(':short', 2, {})).result, 'ok');
    t.equal((await store.get(':short'))?.value, 2);
  });

  test(`${name}: the sweeper removes what has expired, says once that it cannot, and nothing else`, async (t) => {
    let failures = 0;
    const failed = (): void => {
      failures += 1;
    };
    const { table, store } = await started(t, { cleanupIntervalMs: 20, failed });
    await store.set(':short', 1, 0.05);
    await store.set(':long', 1, 1000);
    await store.set(':kept', 1, undefined);
    await poll('the sweep', async () => (await rowsOf(shared, `SELECT key FROM ${table}`)).length === 2);
    t.equal(failures, 0);
    await run(shared, `ALTER TABLE ${table} RENAME TO ${table}_gone`);
    await poll('a sweep fails', () => failures > 0);
    await t.rejects(async () => store.get(':k'), { message: /store_/, kind: 'Internal' });
    t.equal(failures, 1);
    await store.stop();
    t.equal((await rowsOf(shared, `SELECT key FROM ${table}_gone`)).length, 2);
  });

  test(`${name}: order and prefixes go by bytes, wildcards are characters`, async (t) => {
    const { store } = await started(t);
    const keys = ['B:1', 'a%:1', 'a:1', 'aB:1', 'a_:1', 'ab:1', 'z:1', 'ä:1', '\ud7ff:1', '\ue000:1', '😀:1'];
    for (const key of keys.toReversed()) await store.set(key, key, undefined);
    const list = async (prefix: string, after = '') =>
      (await store.list({ prefix, after, limit: 100 })).items.map(({ key }) => key);
    t.same(await list(''), keys);
    t.same(await list('a%'), ['a%:1']);
    t.same(await list('a_'), ['a_:1']);
    t.same(await list('a'), ['a%:1', 'a:1', 'aB:1', 'a_:1', 'ab:1']);
    t.same(await list('a', 'aB:1'), ['a_:1', 'ab:1']);
    t.same(await list('\ud7ff'), ['\ud7ff:1']);
  });

  test(`${name}: of many writers of one new key none fails`, async (t) => {
    const { table, store } = await started(t);
    await Promise.all(Array.from({ length: 20 }, (_, i) => store.set(':k', i, undefined)));
    t.equal((await rowsOf(shared, `SELECT key FROM ${table}`)).length, 1);
    const gone = await Promise.all(Array.from({ length: 5 }, () => store.delete(':k')));
    t.equal(gone.filter((one) => one).length, 1);
  });

  test(`${name}: a value that no JSON text holds, and one that is none`, async (t) => {
    const { table, store } = await started(t);
    await t.rejects(async () => store.set(':k', { bytes: new Uint8Array([255]) }, undefined), {
      message: /valid UTF-8 for store\.sql/,
      kind: 'Invalid',
    });
    if (columns.includes('jsonb')) return;
    await run(shared, `INSERT INTO ${table} VALUES (':odd', 'not JSON', NULL)`);
    await t.rejects(async () => store.get(':odd'), { message: /app:store is not JSON/, kind: 'Internal' });
  });

  test(`${name}: without a fitting table it says which is wanted, and works from when there is one`, async (t) => {
    const late: string[] = [];
    const early = storeOn(shared, 'later', { missing: (error) => void late.push(error.message) });
    await early.start();
    t.teardown(() => early.stop());
    t.match(late, [/the table later of app:db cannot be used/]);
    await t.rejects(async () => early.set(':k', 1, undefined), { message: String(late[0]), kind: 'Internal' });
    await run(shared, `CREATE TABLE later (${columns})${options}`);
    await early.set(':k', 1, undefined);
    t.equal((await early.get(':k'))?.value, 1, 'the app has made it meanwhile');
    await run(shared, 'DROP TABLE later');
    const wanted = /The table must exist: CREATE TABLE none \(key text.*PRIMARY KEY/i;
    await t.rejects(storeOn(shared, 'none').start(), { message: wanted, kind: 'Internal' });
    await run(shared, 'CREATE TABLE unkeyed (key text, value text, expires_at integer)');
    await t.rejects(storeOn(shared, 'unkeyed').start(), {
      message: /app:store: the table unkeyed of app:db cannot be used: .*ON CONFLICT/,
    });
    await run(shared, 'CREATE TABLE partial (key text PRIMARY KEY, value text)');
    await t.rejects(storeOn(shared, 'partial').start(), { message: /expires_at/ });
    await t.rejects(async () => storeOn(shared, 'none').get(':k'), { message: 'store is stopped' });
  });
}

test('bytea holds no JSON text', { skip }, async (t) => {
  const database = await databaseOf(t, await postgresEntry());
  await run(database, 'CREATE TABLE binary_store (key text PRIMARY KEY, value bytea, expires_at bigint)');
  await t.rejects(storeOn(database, 'binary_store').start(), { message: /column value is of the type bytea/ });
});

test('the end of a prefix', (t) => {
  t.equal(prefixEnd(''), undefined);
  t.equal(prefixEnd('a:'), 'a;');
  t.equal(prefixEnd('\ud7ff'), '\ue000');
  t.equal(prefixEnd('a\u{10ffff}'), 'b');
  t.equal(prefixEnd('\u{10ffff}'), undefined);
  t.end();
});

test('rule 15: the same metrics as store.memory; its span and its info; the statement lies in its trace', async (t) => {
  const file = `${t.testdir()}/data.db`;
  const tables = new DatabaseSync(file);
  tables.exec('CREATE TABLE kv (k TEXT PRIMARY KEY, v TEXT, e INTEGER)');
  tables.close();
  const columns = { id_column_name: 'k', payload_column_name: 'v', expire_column_name: 'e' };
  const bench = await surfaceBench(
    t,
    [
      { id: 'app:db', kind: 'db.sql.sqlite', file },
      { id: 'app:cache', kind: 'store.sql', database: 'app:db', table_name: 'kv', ...columns },
      { id: 'app:local', kind: 'store.memory' },
      lua(
        'app:use',
        `local s = assert(store.get(...)); local loop = {}; loop.self = loop
         s:set('k', { n = 1 }); s:set('k', loop); s:get('k'); s:get('none'); s:has('k'); s:has('none'); s:list()
         s:delete('k'); s:delete('none'); s:put('k', 2)`,
      ),
    ],
    { spans: { kv: true, sql: true } },
  );
  await bench.call('app:use', ['app:local']);
  await bench.call('app:use', ['app:cache']);
  const rows = (name: string, id: string) =>
    bench.rows(name).flatMap((row) => (row.includes(`namespace=${id}`) ? [row.replace(id, '')] : []));
  for (const name of ['kv_ops_total', 'kv_op_duration_seconds']) {
    t.same(rows(name, 'app:cache'), rows(name, 'app:local'), name);
    t.equal(rows(name, 'app:cache').length, 10);
  }
  const [span] = bench.recorder.spans().filter((one) => one.name === 'has app:cache');
  t.match(span?.attributes, { 'db.system.name': 'sqlite', 'db.operation.name': 'has', 'db.namespace': 'app:db' });
  t.ok(
    bench.recorder.spans().some(({ parentSpanId }) => parentSpanId === span?.spanId),
    'the statement is a child of the operation',
  );
});

test('rule 118: a write that the database refuses is one line, and an execute of the app keeps its own', async (t) => {
  const file = `${t.testdir()}/data.db`;
  const tables = new DatabaseSync(file);
  tables.exec('CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT CHECK (length(value) < 10), expires_at INTEGER)');
  tables.close();
  const bench = await surfaceBench(t, [
    { id: 'app:db', kind: 'db.sql.sqlite', file },
    { id: 'app:cache', kind: 'store.sql', database: 'app:db', table_name: 'kv' },
    lua(
      'app:set',
      `local _, err = assert(store.get('app:cache')):set('k', 'planted-in-a-value'); host.note(err:message())`,
    ),
    lua('app:insert', `sql.get('app:db'):execute("INSERT INTO kv VALUES ('k', 'planted-in-a-value', NULL)")`, {
      modules: ['sql'],
    }),
  ]);
  const failures = () => bench.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
  await bench.call('app:set');
  t.match(bench.notes, [/^CHECK constraint failed/]);
  t.same(failures(), ['store write failed']);
  await bench.call('app:insert');
  t.same(failures(), ['store write failed', 'database write failed']);
  t.notMatch(JSON.stringify(bench.lines), 'planted');
});

test('a server that goes away: Unavailable, retryable, and back by itself', {
  skip: skip || server?.stop === undefined,
}, async (t) => {
  if (server?.stop === undefined || server.start === undefined) return;
  const own = await server.createDatabase('kv');
  await own.run('CREATE TABLE kv (key text PRIMARY KEY, value text, expires_at bigint)');
  const { host, port, database, username, password } = own;
  const lifecycle = { auto_start: true };
  const source = `return function()
    local s = assert(store.get('app:cache')); local _, e = s:set('k', 1)
    return e and e:kind() .. tostring(e:retryable()) or 'ok' end`;
  const entries = [
    // Before its database by name: only the reference puts it behind.
    { name: 'cache', kind: 'store.sql', database: 'db', table_name: 'kv', lifecycle },
    { name: 'db', kind: 'db.sql.postgres', host, port, database, username, password, lifecycle },
    { name: 'use', kind: 'function.lua', method: 'main', modules: ['store'], source },
  ];
  const dir = t.testdir({ '_index.yaml': JSON.stringify({ version: '1.0', namespace: 'app', entries }) });
  const program = await programIn(t, dir);
  t.equal(await program.call('app:use'), 'ok');
  await server.stop();
  t.equal(await program.call('app:use'), 'Unavailabletrue');
  await server.start();
  await poll('it answers again', async () => (await program.call('app:use')) === 'ok');
});

test('declarations.md, section 7: defaults and messages', (t) => {
  const entry = { id: 'app:cache', kind: 'store.sql', database: 'app:db', table_name: 'kv' };
  t.match(decode(entry).config, {
    id_column_name: 'key',
    payload_column_name: 'value',
    expire_column_name: 'expires_at',
    cleanup_interval: 0,
  });
  t.same(decode({ id: 'app:cache', kind: 'store.sql' }).messages, [
    'database ID is required',
    'table name is required',
  ]);
  t.same(decode({ ...entry, table_name: '' }).messages, ['table name is required']);
  t.same(decode({ ...entry, cleanup_interval: '-1s' }).messages, ['cleanup interval must be non-negative']);
  for (const name of [
    'a'.repeat(64),
    'select',
    'Table',
    'a"b',
    "a'b",
    'a;b',
    'a--b',
    'a/*b',
    'a b',
    '1a',
    'a.b.c',
    '.a',
  ]) {
    t.same(decode({ ...entry, table_name: name }).messages, ['table name contains invalid characters'], name);
  }
  for (const name of ['a'.repeat(63), 'Sessions_2', 'public.kv', 'größe', 'key']) {
    t.same(decode({ ...entry, table_name: name }).messages, [], name);
  }
  t.same(decode({ ...entry, id_column_name: 'a.b' }).messages, ['id column name contains invalid characters']);
  t.same(decode({ ...entry, payload_column_name: 'order' }).messages, [
    'payload column name contains invalid characters',
  ]);
  t.same(decode({ ...entry, expire_column_name: '' }).messages, ['expire column name contains invalid characters']);
  t.end();
});
