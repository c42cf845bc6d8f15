import { DatabaseSync } from 'node:sqlite';
import { t as root, type Test, test } from 'tap';
import { KV_OPERATIONS, KV_RESULTS } from '../../../services/kv/instruments.ts';
import { POSTGRES_MISSING, startPostgres } from '../../harness/postgres.ts';
import { startRedis } from '../../harness/redis.ts';
import { type EntryText, lua, surfaceBench } from '../surface-bench.ts';

// What every kind of store counts, times and shows: the same.

const redis = await startRedis(root);
const server = await startPostgres(root);
const TABLE = 'CREATE TABLE entries (key text PRIMARY KEY, value text, expires_at bigint)';
/** The default port is not said. */
const serverAt = (host: string, port: number, usual: number) => ({
  'server.address': host,
  ...(port !== usual && { 'server.port': port }),
});
/** Written by somebody else: reading it fails. */
const BROKEN = 'planted-as-a-broken-value';
const BROKEN_ROW = `INSERT INTO entries (key, value) VALUES (':planted-key', '${BROKEN}')`;

interface Kind {
  readonly name: string;
  readonly skip?: string | false;
  /** The store is `app:cache`. */
  entries(t: Test): Promise<readonly EntryText[]>;
  readonly hasConditions: boolean;
  /** A value in it may be broken by others. */
  readonly isShared: boolean;
  readonly span: { readonly kind: string; readonly system: string };
  /** Where its entries are (conventions.md, section 5). */
  place(): Readonly<Record<string, string | number>>;
}
/** Of the one that was made last: each test makes its own. */
let madeDatabase = '';
const KINDS: readonly Kind[] = [
  {
    name: 'store.memory',
    entries: async () => [{ id: 'app:cache', kind: 'store.memory' }],
    hasConditions: true,
    isShared: false,
    span: { kind: 'internal', system: 'memory' },
    place: () => ({ 'db.namespace': 'app:cache' }),
  },
  {
    name: 'store.redis',
    async entries(t) {
      const prefix = `${redis.prefix}${t.name}:`;
      await redis.client.hset(`${prefix}planted-key`, { value: BROKEN, version: '1' });
      return [{ id: 'app:cache', kind: 'store.redis', url: `${redis.url}/0`, prefix }];
    },
    hasConditions: true,
    isShared: true,
    span: { kind: 'client', system: 'redis' },
    place() {
      const { hostname, port } = new URL(redis.url);
      return { 'db.namespace': '0', 'db.collection.name': 'app:cache', ...serverAt(hostname, Number(port), 6379) };
    },
  },
  {
    name: 'store.sql on sqlite',
    async entries(t) {
      const file = `${t.testdir()}/data.db`;
      const tables = new DatabaseSync(file);
      for (const statement of [TABLE, BROKEN_ROW]) tables.exec(statement);
      tables.close();
      return [
        { id: 'app:db', kind: 'db.sql.sqlite', file },
        { id: 'app:cache', kind: 'store.sql', database: 'app:db', table_name: 'entries' },
      ];
    },
    hasConditions: false,
    isShared: true,
    span: { kind: 'internal', system: 'sqlite' },
    place: () => ({ 'db.namespace': 'app:db', 'db.collection.name': 'entries' }),
  },
  {
    name: 'store.sql on postgres',
    skip: server === undefined && POSTGRES_MISSING,
    async entries() {
      if (server === undefined) throw new Error(POSTGRES_MISSING);
      const own = await server.createDatabase('kv');
      for (const statement of [TABLE, BROKEN_ROW]) await own.run(statement);
      const { host, port, database, username, password } = own;
      madeDatabase = database;
      return [
        { id: 'app:db', kind: 'db.sql.postgres', host, port, database, username, password },
        { id: 'app:cache', kind: 'store.sql', database: 'app:db', table_name: 'entries' },
      ];
    },
    hasConditions: false,
    isShared: true,
    span: { kind: 'client', system: 'postgresql' },
    place() {
      const { host = '', port = 0 } = server ?? {};
      return { 'db.namespace': madeDatabase, 'db.collection.name': 'entries', ...serverAt(host, port, 5432) };
    },
  },
];

const USE = lua(
  'app:use',
  `local s = assert(store.get('app:cache')); local loop = {}; loop.self = loop
   local k, none = 'secret-key', 'secret-none'
   s:set(k, 'secret-value'); s:set(k, loop); s:get(k); s:entry(k); s:get(none); s:has(k); s:has(none)
   s:list({ prefix = 'secret-' }); s:put(k, 'secret-value'); s:put(k, loop)
   if s:info().conditional_put then
     s:put(k, 1, { only_if_absent = true }); s:put(k, 1, { if_version = '999' }); s:put(none, 1, { if_version = '1' })
   end
   s:delete(k); s:delete(k)`,
);
const READ_BROKEN = lua(
  'app:broken',
  `local v, e = assert(store.get('app:cache')):get('planted-key'); return e and e:kind() .. ' ' .. e:message()`,
);
const SAME = {
  'op=delete,result=not_found': 1,
  'op=delete,result=ok': 1,
  'op=get,result=not_found': 1,
  'op=get,result=ok': 2,
  'op=has,result=not_found': 1,
  'op=has,result=ok': 1,
  'op=list,result=ok': 1,
  'op=put,result=error': 1,
  'op=put,result=ok': 1,
  'op=set,result=error': 1,
  'op=set,result=ok': 1,
};
const WITH_CONDITIONS = { 'op=put,result=conflict': 2, 'op=put,result=not_found': 1 };
const rowsOf = (counts: Readonly<Record<string, number>>): string[] =>
  Object.entries(counts)
    .map(([labels, count]) => `namespace=app:cache,${labels} ${count}`)
    .sort();

for (const { name, skip = false, entries, hasConditions, isShared, span, place } of KINDS) {
  test(`rules 15, 74: ${name}: an absent key is not_found, no error; counted and timed by result; no spans`, {
    skip,
  }, async (t) => {
    const bench = await surfaceBench(t, [...(await entries(t)), USE, READ_BROKEN]);
    await bench.call('app:use');
    const expected = rowsOf({ ...SAME, ...(hasConditions && WITH_CONDITIONS) });
    t.same(bench.rows('kv_ops_total'), expected);
    t.same(bench.rows('kv_op_duration_seconds'), expected, 'failures are timed too');
    for (const row of bench.rows('kv_ops_total')) {
      const [, op, result] = /op=(\w+),result=(\w+)/.exec(row) ?? [];
      t.ok(KV_OPERATIONS.some((one) => one === op) && KV_RESULTS.some((one) => one === result), 'rule 21: closed sets');
    }
    t.same(
      bench.recorder.spans().map((one) => one.name),
      ['app:use'],
      'no span of an operation, nor of a statement below it',
    );
    t.same(
      bench.lines.map(({ level, fields }) => `${level} ${fields.op}`),
      ['error set', 'error put'],
      'writes that fail are a line, an absent key and a condition are none',
    );
    if (!isShared) return;
    t.match(await bench.call('app:broken'), /^Internal a value in .* is not JSON/);
    t.ok(
      bench.rows('kv_ops_total').includes('namespace=app:cache,op=get,result=error 1'),
      'a backend that fails is one',
    );
    t.ok(bench.rows('kv_op_duration_seconds').includes('namespace=app:cache,op=get,result=error 1'));
  });

  test(`rule 74: ${name}: with otel.kv.spans there is one an operation, and no signal shows a key or a value`, {
    skip,
  }, async (t) => {
    const bench = await surfaceBench(t, [...(await entries(t)), USE, READ_BROKEN], { spans: { kv: true } });
    await bench.call('app:use');
    if (isShared) await bench.call('app:broken');
    const spans = bench.recorder.spans().filter(({ attributes }) => 'db.system.name' in attributes);
    const operations = Object.values({ ...SAME, ...(hasConditions && WITH_CONDITIONS) }).reduce((a, b) => a + b, 0);
    t.equal(spans.length, operations + (isShared ? 1 : 0));
    for (const { name: one, kind, attributes, status } of spans) {
      const operation = one.split(' ')[0];
      t.equal(one, `${operation} app:cache`);
      t.equal(kind, span.kind);
      t.same(attributes, {
        'db.system.name': span.system,
        'db.operation.name': operation,
        ...place(),
        ...(status === 'error' && { 'error.type': attributes['error.type'] }),
      });
    }
    t.same(
      spans.filter(({ status }) => status === 'error').map((one) => one.name),
      ['set app:cache', 'put app:cache', ...(isShared ? ['get app:cache'] : [])],
      'an absent key and a condition that does not hold are no errors',
    );
    const signals = {
      spans: JSON.stringify(bench.recorder.spans()),
      lines: JSON.stringify(bench.lines),
      metrics: JSON.stringify(bench.collector.snapshot()),
    };
    for (const [where, text] of Object.entries(signals)) {
      t.match(text, /app:cache/, `${where} were searched`);
      t.notMatch(text, /secret|planted/, where);
    }
  });
}
