import { test } from 'tap';
import { KV_OPERATIONS, KV_RESULTS } from '../../../services/kv/instruments.ts';
import { guardedContext } from '../security/guarded-context.ts';
import { decode, lua, surfaceBench } from '../surface-bench.ts';

const STORE = { id: 'app:cache', kind: 'store.memory' };
/** Runs a body that has `s`, a handle on the store, and gives what it returns. */
const withStore = async (t: Parameters<typeof surfaceBench>[0], body: string, options = {}) => {
  const bench = await surfaceBench(t, [
    { ...STORE, ...options },
    lua('app:main', `local s = store.get('app:cache'); ${body}`),
  ]);
  return { bench, run: (args: string[] = []) => bench.call('app:main', args) };
};

test('values come back as they were set, as fresh copies', async (t) => {
  const { run } = await withStore(
    t,
    `local v = {1, 2, {x = 'y'}}
     assert(s:set('k', v)); v[1] = 99
     local a = s:get('k'); a[2] = 99
     local b = s:get('k')
     return b[1] .. ',' .. b[2] .. ',' .. b[3].x .. ',' .. #b`,
  );
  t.equal(await run(), '1,2,y,3');
});

test('a key without ":" is reported with one, and both forms are the same key', async (t) => {
  const { run } = await withStore(
    t,
    `s:set('k', 1); s:set('a:b:c', 2)
     local page = s:list()
     return s:entry('k').key .. ' ' .. s:get(':k') .. ' ' .. page.items[2].key .. ' ' .. page.cursor .. ' ' .. tostring(page.has_more)`,
  );
  t.equal(await run(), ':k 1 a:b:c a:b:c false');
});

test('faults are returned as lua/store.md words them', async (t) => {
  const faults: [string, string][] = [
    [`s:get('')`, 'Invalid key is required'],
    [`s:set('k')`, 'Invalid value is required'],
    [`s:get('none')`, 'NotFound key not found'],
    [`s:entry('none')`, 'NotFound key not found'],
    [`s:list('x')`, 'Invalid options must be a table'],
    [`s:list{prefix = 1}`, 'Invalid prefix must be a string'],
    [`s:list{limit = -1}`, 'Invalid limit must be a non-negative integer'],
    [`s:list{limit = 1.5}`, 'Invalid limit must be a non-negative integer'],
    [`s:put('k', 1, {ttl = -1})`, 'Invalid ttl must be a non-negative number'],
    [`s:put('k', 1, {only_if_absent = 1})`, 'Invalid only_if_absent must be a boolean'],
    [`s:put('k', 1, {if_version = 'x'})`, 'Invalid if_version must be a positive version'],
    [
      `s:put('k', 1, {if_version = '1', only_if_absent = true})`,
      'Invalid only_if_absent and if_version are mutually exclusive',
    ],
    [`s:put('none', 1, {if_version = '1'})`, 'NotFound key not found'],
    [`s:put('here', 1, {only_if_absent = true})`, 'AlreadyExists key already exists'],
    [`s:put('here', 1, {if_version = '999'})`, 'Conflict version mismatch'],
    [`store.get('')`, 'Invalid resource id is required'],
    [`store.get('app:none')`, 'NotFound resource not found: app:none'],
    [`store.get('app:main')`, 'Invalid resource is not a store: app:main'],
  ];
  for (const [call, expected] of faults) {
    const { run } = await withStore(
      t,
      `s:set('here', 1); local v, e = ${call}; return tostring(v) .. ' ' .. e:kind() .. ' ' .. e:message()`,
    );
    t.equal(await run(), `nil ${expected}`, call);
  }
});

test('a wrong type of key raises, and so does a method on another object', async (t) => {
  const { run } = await withStore(
    t,
    `local ok, e = pcall(s.get, s, {}); local ok2 = pcall(s.get, 'x', 'k'); return tostring(ok) .. tostring(ok2) .. e`,
  );
  t.match(await run(), /^falsefalse.*bad argument #1 to 'get' \(string expected, got table\)/);
});

test('a released handle says so, also after the call ended; its store keeps the data', async (t) => {
  const { run } = await withStore(
    t,
    `local one, two = s, store.get('app:cache')
     one:set('k', 1)
     local before = tostring(one)
     local again = tostring(one:release()) .. tostring(one:release())
     local _, e = one:get('')
     return before .. ' ' .. tostring(one) .. ' ' .. again .. ' ' .. e:message() .. ' ' .. two:get('k')`,
  );
  t.equal(await run(), 'store.Store{} store.Store{released} truetrue store is released 1');
  const { bench } = await withStore(t, `kept = kept or s; return tostring(kept)`);
  t.equal(await bench.call('app:main'), 'store.Store{}');
  t.equal(
    await bench.call('app:main'),
    'store.Store{released}',
    'the same instance still holds the handle of the first call',
  );
});

test('info, constants and the frozen module', async (t) => {
  const { run } = await withStore(
    t,
    `local i = s:info()
     return table.concat({i.id, i.backend, i.consistency, tostring(i.durable), tostring(i.conditional_put),
       store.backend.KV_RAFT, store.consistency.LOCAL, tostring(pcall(function() store.backend.X = 1 end))}, ' ')`,
  );
  t.equal(await run(), 'app:cache memory local false true kv.raft local false');
});

test('rule 12: a value that does not fit and a full store are counted, and are one error line each', async (t) => {
  const { bench, run } = await withStore(
    t,
    `local loop = {}; loop.self = loop
     local _, recursive = s:set('k', loop)
     s:set('a', 1)
     local _, full = s:set('b', 2)
     return recursive:message() .. ' / ' .. full:message() .. ' ' .. tostring(full:retryable())`,
    { max_size: 1 },
  );
  t.equal(await run(), 'recursive table at self / store is full true');
  t.same(bench.rows('kv_ops_total'), [
    'namespace=app:cache,op=set,result=error 2',
    'namespace=app:cache,op=set,result=ok 1',
  ]);
  t.same(
    bench.lines.map(({ level, fields }) => [level, fields.subsystem, fields.store, fields.op, fields.error]),
    [
      ['error', 'kv', 'app:cache', 'set', 'recursive table at self'],
      ['error', 'kv', 'app:cache', 'set', 'store is full'],
    ],
  );
});

test('rule 15: every operation of the memory store is counted and timed by outcome, an absent key is no error', async (t) => {
  const { bench, run } = await withStore(
    t,
    `s:set('k', 1); s:get('k'); s:get('none'); s:has('k'); s:has('none'); s:entry('k'); s:list()
     s:put('k', 2, {only_if_absent = true}); s:put('n', 2, {if_version = '1'}); s:delete('k'); s:delete('k')`,
  );
  await run();
  const expected = [
    'op=delete,result=not_found 1',
    'op=delete,result=ok 1',
    'op=get,result=not_found 1',
    'op=get,result=ok 2',
    'op=has,result=not_found 1',
    'op=has,result=ok 1',
    'op=list,result=ok 1',
    'op=put,result=conflict 1',
    'op=put,result=not_found 1',
    'op=set,result=ok 1',
  ].map((row) => `namespace=app:cache,${row}`);
  t.same(bench.rows('kv_ops_total'), expected);
  t.same(bench.rows('kv_op_duration_seconds'), expected);
  t.same(bench.lines, [], 'none of these is a line');
});

test('rule 51: kv spans exist only where they are switched on, and never show a key', async (t) => {
  const entries = [STORE, lua('app:main', `store.get('app:cache'):set('secret-key', 'secret-value')`)];
  const off = await surfaceBench(t, entries);
  await off.call('app:main');
  t.same(
    off.recorder.spans().map(({ name }) => name),
    ['app:main'],
  );
  const on = await surfaceBench(t, entries, { spans: { kv: true } });
  await on.call('app:main');
  const span = on.recorder.span({ name: 'set app:cache' });
  t.equal(span.kind, 'internal');
  t.equal(span.parentSpanId, on.recorder.span({ name: 'app:main' }).spanId);
  t.same(span.attributes, { 'db.system.name': 'memory', 'db.operation.name': 'set', 'db.namespace': 'app:cache' });
  t.notMatch(JSON.stringify(on.recorder.spans()), /secret/);
});

test('declarations.md, section 7: defaults and messages', (t) => {
  t.match(decode({ ...STORE, max_size: 0 }).config, { max_size: 10_000, cleanup_interval: 300_000 });
  t.same(decode({ ...STORE, max_size: -1 }).messages, ['max size must be non-negative']);
  t.same(decode({ ...STORE, cleanup_interval: '-1s' }).messages, ['cleanup interval must be non-negative']);
  t.end();
});

test('rules 9 and 21: no series before its first use, and labels only from the closed sets', async (t) => {
  const { bench, run } = await withStore(t, `s:get('some-key'); s:set('some-key', 'x'); s:list{prefix = 'p'}`);
  t.same(bench.rows('kv_ops_total'), []);
  await run();
  const series = bench.collector.snapshot().families.find(({ name }) => name === 'wippy_kv_ops_total')?.series ?? [];
  t.equal(series.length, 3);
  for (const { labelNames, labelValues } of series) {
    t.same(labelNames, ['namespace', 'op', 'result']);
    const [namespace, op, result] = labelValues;
    t.equal(namespace, 'app:cache');
    t.ok(KV_OPERATIONS.some((one) => one === op) && KV_RESULTS.some((one) => one === result), `${op} ${result}`);
  }
});

test('each operation asks for its own permission, with the key in the form that both its forms have', async (t) => {
  const { bench } = await withStore(
    t,
    `s:get('k'); s:entry(':k'); s:has('a:k'); s:set('k', 1); s:put(':a:k', 1); s:delete('k'); s:list{prefix = 'a:'}; s:info()
     s:get(''); s:set('k'); s:release(); s:get('k')`,
  );
  const { context, checks } = guardedContext(() => true);
  await bench.call('app:main', [], context);
  t.same(checks, [
    'store.get app:cache',
    'store.key.get app:cache key=k',
    'store.key.get app:cache key=k',
    'store.key.has app:cache key=a:k',
    'store.key.set app:cache key=k',
    'store.key.set app:cache key=:a:k',
    'store.key.delete app:cache key=k',
    'store.key.list app:cache prefix=a:',
    'store.info app:cache',
  ]);
});

test('a denial is returned, and nothing is done or counted', async (t) => {
  const { bench } = await withStore(
    t,
    `local v, e = s:set('k', 1); return tostring(v) .. e:kind() .. tostring(e:retryable())`,
  );
  const { context } = guardedContext((action) => action === 'store.get');
  t.equal(await bench.call('app:main', [], context), 'nilPermissionDeniedfalse');
  t.same(bench.rows('kv_ops_total'), []);
  await t.rejects(bench.call('app:main', [], guardedContext(() => true).context), { message: /index a nil value/ });
  t.same(bench.rows('kv_ops_total'), ['namespace=app:cache,op=set,result=ok 1'], 'allowed, it is done and counted');
});
