import { setTimeout as wait } from 'node:timers/promises';
import { t as root, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { redisLink } from '../../../runtime/redis/link.ts';
import { redisBackend } from '../../../services/kv/redis.ts';
import { freePort } from '../../harness/free-port.ts';
import { poll } from '../../harness/poll.ts';
import { startOwnRedis, startRedis } from '../../harness/redis.ts';
import { decode, lua, surfaceBench } from '../surface-bench.ts';
import { storeContract } from './contract.ts';

const server = await startRedis(root);

let stores = 0;
const linkTo = (url: string) =>
  redisLink({ clock: systemClock(), name: 'test', url: () => url, connectTimeoutMs: 10_000 });
const make = (url = server.url) => {
  stores += 1;
  const prefix = `${server.prefix}${stores}:`;
  return { prefix, store: redisBackend('app:cache', linkTo(url), prefix) };
};

storeContract('redis', {
  make: () => make().store,
  pass: (seconds) => wait(seconds * 1000),
  isBounded: false,
});

test('spans say the number of the database and the server', async (t) => {
  const { hostname, port } = new URL(server.url);
  const { store } = make(Object.assign(new URL(server.url), { pathname: '/5' }).href);
  t.same(store.spanAttributes?.(), { 'db.collection.name': 'app:cache' }, 'before the start no more is known');
  await store.start();
  t.teardown(() => store.stop());
  t.same(store.spanAttributes?.(), {
    'db.collection.name': 'app:cache',
    'db.namespace': '5',
    'server.address': hostname,
    ...(port !== '' && port !== '6379' && { 'server.port': Number(port) }),
  });
});

test('keys are prefix and key as it was given, values JSON text with their version', async (t) => {
  const { store, prefix } = make();
  await store.start();
  t.teardown(() => store.stop());
  await store.set(':plain', { a: [1, 'ä'] }, undefined);
  await store.set('user:{42}:name', 'x', 100);
  t.same((await server.client.keys(`${prefix}*`)).sort(), [`${prefix}plain`, `${prefix}user:{42}:name`]);
  const { value, version } = await server.client.hgetall(`${prefix}plain`);
  t.equal(value, '{"a":[1,"ä"]}');
  t.match(version, /^[1-9]\d*$/);
  t.equal(await server.client.pttl(`${prefix}plain`), -1);
  const ttl = await server.client.pttl(`${prefix}user:{42}:name`);
  t.ok(ttl > 90_000 && ttl <= 100_000, 'the expiry is the server`s');
});

test('a key that is deleted and written again has a new version', async (t) => {
  const { store } = make();
  await store.start();
  t.teardown(() => store.stop());
  await store.set(':k', 1, undefined);
  const before = (await store.get(':k'))?.version ?? '';
  await store.delete(':k');
  await store.set(':k', 2, undefined);
  t.ok(Number((await store.get(':k'))?.version) > Number(before));
  t.equal((await store.put(':k', 3, { ifVersion: before })).result, 'conflict');
});

test('of many writers with one version, one wins', async (t) => {
  const { store } = make();
  await store.start();
  t.teardown(() => store.stop());
  await store.set(':k', 0, undefined);
  const version = (await store.get(':k'))?.version ?? '';
  const results = await Promise.all(Array.from({ length: 50 }, (_, i) => store.put(':k', i, { ifVersion: version })));
  t.equal(results.filter(({ result }) => result === 'ok').length, 1);
  t.equal(results.filter(({ result }) => result === 'conflict').length, 49);
});

test('pages over more keys than one step of a scan, glob characters and other stores left alone', async (t) => {
  const { store, prefix } = make();
  await store.start();
  t.teardown(() => store.stop());
  const names = Array.from({ length: 2500 }, (_, i) => `k:${String(i).padStart(5, '0')}`);
  await Promise.all(names.map((name) => store.set(name, name, undefined)));
  await store.set('k[*]:1', 'glob', undefined);
  await server.client.set(`${prefix}k:foreign`, 'no hash');
  const seen: string[] = [];
  for (let after = ''; ; ) {
    const page = await store.list({ prefix: 'k:', after, limit: 1000 });
    seen.push(...page.items.map(({ key }) => key));
    after = seen.at(-1) ?? '';
    if (!page.hasMore) break;
  }
  t.same(seen, names);
  t.same(
    (await store.list({ prefix: 'k[*]', after: '', limit: 10 })).items.map(({ key }) => key),
    ['k[*]:1'],
  );
});

test('bytes that are no text are refused, not changed', async (t) => {
  const { store } = make();
  await store.start();
  t.teardown(() => store.stop());
  await t.rejects(async () => store.set(':k', { bytes: new Uint8Array([255]) }, undefined), {
    message: /valid UTF-8/,
    kind: 'Invalid',
  });
  t.equal(await store.has(':k'), false);
});

test('a start without a server fails and says where; a later start works', async (t) => {
  const port = await freePort();
  const { store } = make(`redis://:secret@127.0.0.1:${port}`);
  const failure = await store.start().then(
    () => undefined,
    (error: Error) => error.message,
  );
  t.equal(failure, `redis at 127.0.0.1:${port} does not answer: connect ECONNREFUSED 127.0.0.1:${port}`);
  await t.rejects(async () => store.get(':k'), { message: 'store is stopped' });
});

test('rule 15: the same metrics as store.memory, Unavailable while the server is gone, and back by itself', async (t) => {
  const own = await startOwnRedis(t, { appendOnly: true });
  const bench = await surfaceBench(
    t,
    [
      { id: 'app:cache', kind: 'store.redis', url: own.url },
      { id: 'app:local', kind: 'store.memory' },
      lua(
        'app:use',
        `local s = assert(store.get(...))
         s:set('k', { n = 1 }); s:get('k'); s:get('none'); s:has('k'); s:list(); s:delete('none')
         s:put('k', 2, { only_if_absent = true })`.replace(``, ''),
      ),
      lua(
        'app:get',
        `local v, e = assert(store.get('app:cache')):get('k'); if e then return e:kind() .. tostring(e:retryable()) end; return v.n`,
      ),
      lua(
        'app:info',
        `local i = assert(store.get('app:cache')):info(); return i.backend == store.backend.REDIS and i.consistency == store.consistency.LINEARIZABLE and i.durable and i.conditional_put`,
      ),
    ],
    { spans: { kv: true } },
  );
  await bench.call('app:use', ['app:cache']);
  await bench.call('app:use', ['app:local']);
  const rowsOf = (name: string, id: string) =>
    bench.rows(name).flatMap((row) => (row.includes(`namespace=${id}`) ? [row.replace(id, '')] : []));
  for (const name of ['kv_ops_total', 'kv_op_duration_seconds']) {
    t.same(rowsOf(name, 'app:cache'), rowsOf(name, 'app:local'), name);
    t.equal(rowsOf(name, 'app:cache').length, 7);
  }
  t.equal(await bench.call('app:info'), true);
  const span = bench.recorder.span({ name: 'set app:cache' });
  t.equal(span.kind, 'client');
  t.equal(span.attributes['db.system.name'], 'redis');
  t.equal(await own.client.exists('app:cache:k'), 1, 'the default prefix is the entry id and `:`');

  await own.kill();
  t.equal(await bench.call('app:get'), 'Unavailabletrue');
  await own.restart();
  await poll('the store answers again', async () => (await bench.call('app:get')) === 1);
  t.ok(bench.rows('kv_ops_total').some((row) => row.startsWith('namespace=app:cache,op=get,result=error')));
  t.same(
    bench.lines.filter(({ message }) => /redis/.test(message)).map(({ level, message }) => `${level} ${message}`),
    ['warn connection to redis lost, trying again', 'info connection to redis is back'],
    'rule 119: one warning an episode',
  );
});

test('declarations: url or url_env', (t) => {
  const entry = { id: 'app:cache', kind: 'store.redis' };
  t.same(decode(entry).messages, ['url is required']);
  t.same(decode({ ...entry, url: '' }).messages, ['url is required']);
  t.same(decode({ ...entry, url: 'http://x' }).messages, ['expected redis://host:port or rediss://host:port']);
  t.same(decode({ ...entry, url: 'rediss://u:p@host:1/2' }).messages, []);
  t.same(decode({ ...entry, url_env: 'REDIS_URL' }).messages, []);
  t.end();
});
