import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import { LuaTable, type LuaValue } from '../../../../runtime/lua/values.ts';
import { functionsFile, programIn } from '../../../harness/in-process.ts';
import { luaBench } from '../../../harness/lua.ts';
import { poll } from '../../../harness/poll.ts';

const MB = 1_000_000;
const modules = ['funcs', 'json', 'store', 'queue', 'http_client', 'http', 'ctx'];
const services = [
  { name: 'kv', kind: 'store.memory', lifecycle: { auto_start: true } },
  { name: 'driver', kind: 'queue.driver.memory', lifecycle: { auto_start: true } },
  { name: 'jobs', kind: 'queue.queue', driver: 'app:driver' },
  { name: 'consumer', kind: 'queue.consumer', queue: 'app:jobs', func: 'app:work', lifecycle: { auto_start: true } },
];
const appOf = (bodies: Record<string, string>, extra: readonly object[] = services): string => {
  const functions = Object.fromEntries(
    Object.entries(bodies).map(([name, body]) => [name, { body, more: { modules } }]),
  );
  const file = JSON.parse(functionsFile({ work: { body: '' }, ...functions }));
  return JSON.stringify({ ...file, entries: [...file.entries, ...extra] });
};
/** `n` tables inside each other under `x`. */
const nested = (n: number): LuaTable => {
  let table = new LuaTable(new Map([['end', true]]));
  for (let i = 1; i < n; i += 1) table = new LuaTable(new Map([['x', table]]));
  return table;
};
const depthOf = (value: LuaValue): number => {
  let depth = 0;
  for (let at: LuaValue = value; at instanceof LuaTable; at = at.get('x')) depth += 1;
  return depth;
};

test('10 MB of text and of bytes cross the engine both ways, unchanged', async (t) => {
  const lua = luaBench();
  const text = 'aé\0'.repeat((10 * MB) / 4);
  const bytes = Buffer.alloc(10 * MB, Buffer.from([0xff, 0, 0x61]));
  t.equal(await lua.run('local s = ...; return s', { args: [text] }), text);
  t.ok(bytes.equals((await lua.run('local s = ...; return s', { args: [bytes] })) as Uint8Array));
  t.equal(await lua.run('local s = ...; return #s .. s:byte(1) .. s:byte(-1)', { args: [text] }), `${10 * MB}970`);
  t.equal(await lua.run(`return #string.rep("x", ${10 * MB})`), 10 * MB);
  t.equal(
    await lua.run('local s = ...; local n = 0; for _ in s:gmatch("a") do n = n + 1 end; return n', {
      args: ['ab'.repeat(MB)],
    }),
    MB,
  );
  t.equal(
    await lua.run('local s = ...; return #(s .. s):upper():reverse() .. (s:find("z", 1, true) or "")', {
      args: [text],
    }),
    `${20 * MB}`,
  );
});

test('10 MB through calls, json, store, queue and HTTP, in and out', async (t) => {
  const target = createServer((request, response) => request.pipe(response)).listen(0, '127.0.0.1');
  await new Promise((resolve) => target.once('listening', resolve));
  t.teardown(() => target.close());
  const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}/`;
  const program = await programIn(
    t,
    t.testdir({
      '_index.yaml': appOf(
        {
          echo: 'return ...',
          work: `local got = ...; store.get('app:kv'):set('job', #got)`,
          all: `local url = ...; local s = string.rep('abcdefghi\\255', ${MB}); local text = string.rep('abcdefghij', ${MB})
            local kv = store.get('app:kv'); kv:set('s', s)
            queue.publish('app:jobs', text)
            return {funcs.call('app:echo', s) == s, json.decode(json.encode({text}))[1] == text, kv:get('s') == s,
              http_client.post(url, {body = s}).body == s}`,
          job: `return store.get('app:kv'):get('job')`,
          http: `http.response():write(http.request():body())`,
        },
        [
          ...services,
          { name: 'gateway', kind: 'http.service', addr: '127.0.0.1:0', lifecycle: { auto_start: true } },
          { name: 'api', kind: 'http.router', meta: { server: 'app:gateway' } },
          {
            name: 'http.endpoint',
            kind: 'http.endpoint',
            meta: { router: 'app:api' },
            method: 'POST',
            path: '/',
            func: 'app:http',
          },
        ],
      ),
    }),
  );
  t.same(((await program.call('app:all', [url])) as LuaTable).sequence(), [true, true, true, true]);
  await poll('the delivery', async () => (await program.call('app:job')) === 10 * MB);
  const body = Buffer.alloc(10 * MB, Buffer.from([0xfe, 0, 0x62]));
  const answer = await fetch(program.url('app:gateway'), { method: 'POST', body });
  t.ok(body.equals(Buffer.from(await answer.arrayBuffer())));
});

test('tables 1,000 levels deep: between calls kept, 10,001 refused with a clear error', async (t) => {
  const program = await programIn(
    t,
    t.testdir({
      '_index.yaml': appOf({
        echo: 'return ...',
        make: `local top = {}; local t = top; for i = 2, ... do t.x = {}; t = t.x end; return top`,
        round: `local top = {}; local t = top; for i = 2, ... do t.x = {}; t = t.x end
          local _, back = pcall(funcs.call, 'app:echo', top); if type(back) ~= 'table' then return back:kind() .. ' ' .. back:message() end
          local n = 0; while back do n = n + 1; back = back.x end; return n`,
      }),
    }),
  );
  t.equal(depthOf(await program.call('app:echo', [nested(1000)])), 1000);
  t.equal(depthOf(await program.call('app:make', [10_000])), 10_000);
  t.equal(await program.call('app:round', [1000]), 1000);
  t.match(await program.call('app:round', [10_001]), /^Internal table nested deeper than 10000 levels$/);
  await t.rejects(program.call('app:make', [10_001]), {
    message: 'table nested deeper than 10000 levels',
    retryable: false,
  });
});

test('towards host data 128 levels are the limit, with the path of what is deeper', async (t) => {
  const lua = `local function deep(n) local top = {}; local t = top; for i = 2, n do t.x = {}; t = t.x end; t.stop = true; return top end
    local n = ...; local kv = store.get('app:kv'); local function kind(v, e) return v and 'ok' or e:kind() end `;
  const program = await programIn(
    t,
    t.testdir({
      '_index.yaml': appOf({
        json: `${lua} return kind(json.encode(deep(n)))`,
        store: `${lua} return kind(kv:set('k', deep(n)))`,
        queue: `${lua} return kind(queue.publish('app:jobs', deep(n)))`,
        decode: `local n = ...; local v, e = json.decode(string.rep('[', n) .. string.rep(']', n)); return v and 'ok' or e:kind()`,
      }),
    }),
  );
  for (const name of ['json', 'store', 'queue']) {
    t.equal(await program.call(`app:${name}`, [128]), 'ok', name);
    for (const depth of [129, 1000, 9000])
      t.equal(await program.call(`app:${name}`, [depth]), 'Internal', `${name} ${depth}`);
  }
  t.equal(await program.call('app:decode', [10_000]), 'ok');
  t.equal(await program.call('app:decode', [1_000_000]), 'Internal', 'and does not exhaust the stack');
});

test('cyclic tables: kept between calls, refused with their path by everything that is text', async (t) => {
  const cycles = `local root = {name = 'r', list = {1, {}}}; root.list[2].up = root
    local own = {}; own[1] = own; local shared = {}; local twice = {a = shared, b = {shared, shared}}
    local function why(v, e) return v and 'ok' or e:kind() .. ' ' .. tostring(e:retryable()) .. ' ' .. e:message() end
    local kv = store.get('app:kv') `;
  const program = await programIn(
    t,
    t.testdir({
      '_index.yaml': appOf({
        echo: 'return ...',
        calls: `${cycles} local r = funcs.call('app:echo', root); local o = funcs.call('app:echo', own); local s = funcs.call('app:echo', twice)
          local f = funcs.async('app:echo', root):response():receive():data()
          return {r ~= root and r.list[2].up == r, o[1] == o, s.a == s.b[1] and s.a == s.b[2], f.list[2].up == f}`,
        bag: `${cycles} return funcs.new():with_context{root = root}:call('app:inner')`,
        inner: `local r = ctx.get('root'); return r.list[2].up == r`,
        json: `${cycles} return {why(json.encode(root)), why(json.encode(own)), why(json.encode(twice))}`,
        store: `${cycles} return {why(kv:set('a', root)), why(kv:put('a', own)), why(kv:set('a', twice))}`,
        queue: `${cycles} return {why(queue.publish('app:jobs', root)), why(queue.publish('app:jobs', own)), why(queue.publish('app:jobs', twice))}`,
        payload: `${cycles} local p = payload.new(root); return {p:data() == root, why(p:transcode(payload.format.JSON)), why(p:transcode(payload.format.YAML))}`,
        options: `${cycles} return {why(funcs.new():with_options(root)), why(funcs.new():with_options(twice))}`,
      }),
    }),
  );
  const result = async (name: string) => ((await program.call(`app:${name}`)) as LuaTable).sequence();
  t.same(await result('calls'), [true, true, true, true]);
  t.equal(await program.call('app:bag'), true);
  const [ROOT, OWN] = ['Internal false recursive table at list[2].up', 'Internal false recursive table at [1]'];
  for (const name of ['json', 'store', 'queue']) t.same(await result(name), [ROOT, OWN, 'ok'], name);
  t.same(await result('payload'), [true, ROOT, ROOT]);
  t.same(await result('options'), [ROOT, 'ok']);
});
