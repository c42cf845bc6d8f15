import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import type { LuaTable } from '../../../../runtime/lua/values.ts';
import { functionsFile, programIn } from '../../../harness/in-process.ts';
import { luaBench } from '../../../harness/lua.ts';
import { poll } from '../../../harness/poll.ts';

/** NUL, a truncated sequence, a surrogate, an overlong form and bytes that are never UTF-8, between what is. */
const RAW = Buffer.from([0xc3, 0xa9, 0, 0x61, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0xc0, 0x80, 0xfe]);
const LUA = `"${[...RAW].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;
/** What text formats show: each maximal part of an ill-formed sequence is one U+FFFD (WHATWG encoding). */
const SHOWN = new TextDecoder('utf-8', { ignoreBOM: true }).decode(RAW);

test('strings hold any byte: the string library, keys, comparison, patterns', async (t) => {
  const lua = luaBench();
  const checks = {
    length: '#s == 13',
    byte: 's:byte(3) == 0 and s:byte(5) == 255 and select("#", s:byte(1, -1)) == 13',
    char: 'string.char(s:byte(1, -1)) == s',
    sub: 's:sub(1, 4) .. s:sub(5) == s and s:sub(-1) == "\\254"',
    reverse: 's:reverse():reverse() == s and s:reverse():byte(1) == 254',
    rep: '#s:rep(3, "\\0") == 41 and s:rep(3, "\\0"):sub(15, 27) == s',
    case: 's:upper():lower() == s and s:upper():byte(4) == 65',
    find: 's:find("\\0", 1, true) == 3 and s:find("a\\255", 1, true) == 4 and s:find("\\255.%(") == 5',
    match: 's:match("\\0(.-)\\195%(") == "a\\255" and s:match("[\\128-\\255]+$") ~= nil',
    gsub: '(s:gsub("[^\\32-\\126]", "")) == "a("',
    gmatch: '(function() local n = 0; for c in s:gmatch(".") do n = n + 1 end; return n end)() == 13',
    format: 'string.format("%s|%5s", s, "\\0") == s .. "|    \\0"',
    concat: 'table.concat({s, s}, "\\0") == s .. "\\0" .. s',
    key: '({[s] = 1})[s] == 1 and ({[s] = 1})[s .. ""] == 1 and ({["a\\0b"] = 1})["a"] == nil',
    order: '"a\\0b" < "a\\0c" and "a" < "a\\0" and "\\127" < "\\128" and not ("\\255" < "\\254")',
    equal: '"a\\0b" ~= "a\\0c" and "a" ~= "a\\0"',
    tostring: 'tostring(s) == s',
    tonumber: 'tonumber("1\\0") == nil and tonumber("\\255") == nil and tonumber("1") == 1',
    quoted: 'string.format("%q", "a\\0\\255\\n\\"") == \'"a\\\\0\\255\\\\\\n\\\\""\'',
    error: 'select(2, pcall(error, s, 0)) == s',
    table: 'select(2, pcall(error, {s}))[1] == s',
    sort: '(function() local x = {"b", "\\255", "\\0", "a\\0", "a"}; table.sort(x); return table.concat(x, ",") end)() == "\\0,a,a\\0,b,\\255"',
    channel: '(function() local c = channel.new(1); c:send(s); return c:receive() end)() == s',
    host: 'host.now(s) == s and host.later(s) == s',
    coroutine: 'coroutine.wrap(function(x) return coroutine.yield(x) end)(s) == s',
  };
  for (const [name, check] of Object.entries(checks)) {
    t.equal(await lua.run(`local s = ${LUA}; return ${check}`), true, name);
  }
});

test('values cross with every byte kept, as text where they are text', async (t) => {
  const lua = luaBench();
  t.same(await lua.run(`return ${LUA}`), new Uint8Array(RAW));
  t.equal(await lua.run('local s = ...; return s', { args: ['é\0\u{1F600}'] }), 'é\0\u{1F600}');
  t.equal(await lua.run(`local s, text = ...; return s == ${LUA} and #text == 3`, { args: [RAW, 'é\0'] }), true);
  const table = (await lua.run(`return {[${LUA}] = ${LUA}, ["a\\0b"] = 1}`)) as LuaTable;
  t.equal(table.get('a\0b'), 1);
  t.same([...table.map.keys()][0], new Uint8Array(RAW));
  const back = await lua.run(`local t = ...; return t[${LUA}] == ${LUA} and t["a\\0b"] == 1`, { args: [table] });
  t.equal(back, true);
  t.equal(await lua.run('return "\\239\\187\\191x"'), '\uFEFFx', 'a byte order mark is text');
});

const entries = (bodies: Record<string, string>, extra: readonly object[] = []): string => {
  const modules = ['funcs', 'ctx', 'env', 'http', 'http_client', 'json', 'logger', 'metrics', 'queue', 'store', 'time'];
  const file = JSON.parse(
    functionsFile(
      Object.fromEntries(
        Object.entries(bodies).map(([name, body]) => [name, { body: `local S = ${LUA}; ${body}`, more: { modules } }]),
      ),
    ),
  );
  file.entries.push(...extra);
  return JSON.stringify(file);
};

test('json, payload, errors, ctx, time, metrics: text formats show U+FFFD, everything else keeps the bytes', async (t) => {
  const program = await programIn(
    t,
    t.testdir({
      '_index.yaml': entries({
        json: `return {json.encode(S), json.encode({[S] = 1}), json.encode("a\\0b\\31"), json.decode('"a\\\\u0000b"') == "a\\0b",
          json.decode(json.encode("é\\0")) == "é\\0"}`,
        decode: `local v, e = json.decode('"' .. S .. '"'); return {tostring(v), e and e:kind()}`,
        payload: `local p = payload.new(S); local f = payload.format
          return {p:data() == S, p:transcode(f.STRING):data() == S, p:transcode(f.BYTES):data() == S, p:transcode(f.JSON):data(),
            p:transcode(f.STRING):transcode(f.LUA):data() == S}`,
        errors: `local e = errors.new{message = S, kind = 'Conflict', details = {s = S, n = "a\\0"}}
          return {e:message(), tostring(e), "x" .. e, e:details().s == S, e:details().n == "a\\0", errors.wrap(e, S):message(),
            type(errors.wrap(e, S):stack())}`,
        raise: 'error(S, 0)',
        caught: `local _, e = funcs.call('app:raise'); return {e:kind(), e:message()}`,
        second: 'return nil, S',
        echo: 'return ...',
        call: `return {funcs.call('app:echo', S) == S, funcs.call('app:echo', {[S] = S})[S] == S,
          funcs.async('app:echo', S):response():receive():data() == S, select(2, funcs.call('app:' .. S)):kind(),
          select(2, funcs.call('app:echo\\0')):kind()}`,
        ctx: `return funcs.new():with_context{k = S, ["a\\0"] = 1, t = {s = S}}:call('app:inner')`,
        inner: `return {ctx.get('k') == S, ctx.get('a\\0'), ctx.get('t').s == S, select(2, ctx.get(S)):kind(), select(2, ctx.get('a')):kind()}`,
        time: `local t = time.unix(0, 0):utc(); return {t:format("2006\\0" .. S) == "1970\\0" .. S, (t:format("2006\\0")) == "1970\\0",
          select(2, time.parse("2006\\0", "1970")) ~= nil, time.parse("2006\\0", "1970\\0"):year(), select(2, time.parse_duration("1s\\0")):kind(),
          select(2, time.load_location(S)):kind(), select(2, time.load_location("UTC\\0")):kind()}`,
        metrics: `return {metrics.counter_inc('hits', {where = S}), metrics.counter_inc('hits', {where = 'a\\0b"\\\\\\n'}),
          metrics.counter_inc('h\\0'), select(2, metrics.counter_inc('hits', {['a\\0'] = 'x'})):kind(),
          select(2, metrics.counter_inc('hits', {[S] = 'x'})):kind()}`,
      }),
    }),
  );
  const result = async (name: string) => {
    const value = (await program.call(`app:${name}`)) as LuaTable;
    return Array.from({ length: Math.max(...(value.map.keys() as Iterable<number>)) }, (_, i) => value.get(i + 1));
  };
  t.same(await result('json'), [
    `"${SHOWN.replace('\0', '\\u0000')}"`,
    `{"${SHOWN.replace('\0', '\\u0000')}":1}`,
    '"a\\u0000b\\u001f"',
    true,
    true,
  ]);
  t.same(await result('decode'), ['nil', 'Internal'], 'JSON is UTF-8, and holds no control characters');
  t.same(await result('payload'), [true, true, true, SHOWN, true]);
  t.same(await result('errors'), [SHOWN, SHOWN, `x${SHOWN}`, true, true, SHOWN, 'string']);
  t.same(await result('caught'), ['Internal', SHOWN]);
  await t.rejects(program.call('app:second'), { message: SHOWN, kind: 'Internal' });
  t.same(await result('call'), [true, true, true, 'NotFound', 'NotFound']);
  t.same(await result('ctx'), [true, 1, true, 'NotFound', 'NotFound']);
  t.same(await result('time'), [true, true, true, 1970, 'Invalid', 'NotFound', 'NotFound']);
  t.same(await result('metrics'), [true, true, true, 'Invalid', 'Invalid'], 'a name is mapped, a label name is not');
  const scraped = await program.scrape();
  t.same(
    scraped.samples
      .filter(({ name }) => name === 'hits')
      .map(({ labels }) => labels.where)
      .sort(),
    ['a\0b"\\\n', SHOWN].sort(),
    'the scrape is text that a parser reads',
  );
  const span = program.recorder.span({ name: 'app:raise' });
  t.equal(span.events[0]?.attributes['exception.message'], SHOWN);
});

test('store, queue, env and log lines', async (t) => {
  const program = await programIn(
    t,
    t.testdir({
      '_index.yaml': entries(
        {
          store: `local s = store.get('app:kv'); s:set('v', S); s:set('t', {[S] = S}); s:set('a\\0b', 1)
            local _, e = s:set(S, 1)
            return {s:get('v') == S, s:get('t'), s:get('a\\0b'), s:has('a'), e:kind(), e:message()}`,
          publish: `queue.publish('app:jobs', S, {raw = S, nul = 'a\\0b'}); queue.publish('app:jobs', {[S] = S}); return queue.publish('app:jobs', 'é\\0')`,
          work: `local got = ...; local m = queue.message(); local s = store.get('app:kv')
            local n = (s:get('n') or 0) + 1; s:set('n', n); s:set('job' .. n, {body = got, raw = m:header('raw'), nul = m:header('nul')})`,
          jobs: `local s = store.get('app:kv'); return {s:get('n'), s:get('job1'), s:get('job2'), s:get('job3')}`,
          env: `local ok, e = env.set('app:v', S); return {ok, env.get('app:v'), select(2, env.get('a\\0')):kind(), select(2, env.get(S)):kind()}`,
          log: `logger:info('m ' .. S, {field = S, nul = 'a\\0b', deep = {list = {S}}, [S] = 'key'}); logger:with({bound = S}):info('bound'); print(S)`,
        },
        [
          { name: 'kv', kind: 'store.memory', lifecycle: { auto_start: true } },
          { name: 'driver', kind: 'queue.driver.memory', lifecycle: { auto_start: true } },
          { name: 'jobs.queue', kind: 'queue.queue', driver: 'app:driver', queue_name: 'x' },
          { name: 'memory', kind: 'env.storage.memory' },
          { name: 'v', kind: 'env.variable', storage: 'app:memory' },
          {
            name: 'consumer',
            kind: 'queue.consumer',
            queue: 'app:jobs.queue',
            func: 'app:work',
            concurrency: 1,
            lifecycle: { auto_start: true },
          },
        ],
      ).replaceAll("'app:jobs'", "'app:jobs.queue'"),
    }),
  );
  const result = async (name: string) => {
    const value = (await program.call(`app:${name}`)) as LuaTable;
    return Array.from({ length: Math.max(...(value.map.keys() as Iterable<number>)) }, (_, i) => value.get(i + 1));
  };
  const stored = await result('store');
  t.same([...(stored[1] as LuaTable).map], [[SHOWN, new Uint8Array(RAW)]], 'keys of host data are text');
  t.same(stored.toSpliced(1, 1), [
    true,
    1,
    false,
    'Invalid',
    'key must be valid UTF-8. Encode binary keys, as hex for example.',
  ]);
  t.equal(await program.call('app:publish'), true);
  const jobs = await poll('three deliveries', async () => {
    const found = await result('jobs');
    return found[0] === 3 && found.length === 4 && found; // the count comes before the third record
  });
  const field = (job: number, name: string) => (jobs[job] as LuaTable).get(name);
  t.equal(field(1, 'body'), SHOWN, 'the codec is JSON');
  t.same([field(1, 'raw'), field(1, 'nul')], [SHOWN, 'a\0b']);
  t.equal((field(2, 'body') as LuaTable).get(SHOWN), SHOWN);
  t.equal(field(3, 'body'), 'é\0');
  t.same(await result('env'), [true, SHOWN, 'NotFound', 'NotFound']);
  await program.call('app:log');
  const lines = program.lines().filter(({ subsystem }) => subsystem === 'lua');
  t.match(lines[0], { msg: `m ${SHOWN}`, field: SHOWN, nul: 'a\0b', deep: { list: [SHOWN] }, [SHOWN]: 'key' });
  t.match(lines[1], { msg: 'bound', bound: SHOWN });
  t.match(lines[2], { msg: SHOWN });
});

test('HTTP in and out: bodies are bytes; what a header cannot hold is an error, not a crash', async (t) => {
  const seen: { body: Buffer; url: string }[] = [];
  const target = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({ body: Buffer.concat(chunks), url: request.url ?? '' });
      response.end(RAW);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => target.once('listening', resolve));
  t.teardown(() => target.close());
  const out = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
  const endpoint = (name: string, method: string) => ({
    name: `${name}.endpoint`,
    kind: 'http.endpoint',
    meta: { router: 'app:api' },
    method,
    path: `/${name}`,
    func: `app:${name}`,
  });
  const program = await programIn(
    t,
    t.testdir({
      '_index.yaml': entries(
        {
          echo: `local req, res = http.request(), http.response(); local body = req:body(); res:write(body == S and body or 'other')`,
          query: `local req, res = http.request(), http.response(); local q = req:query('q'); res:write(q)`,
          header: `local res = http.response(); local ok, e = pcall(res.set_header, res, 'x-a', ...); local ok2, e2 = pcall(res.set_header, res, 'x-b', 'a\\0b')
            local ok3, e3 = pcall(res.set_header, res, 'x\\0', 'a'); res:write_json({e2 ~= nil, e3 ~= nil, S})`,
          out: `local url = ...; local r = http_client.post(url .. '/p', {body = S}); local u, e = http_client.get(url .. '/\\0')
            local h, e2 = http_client.get(url, {headers = {['x-a'] = 'a\\0b'}})
            local q = http_client.get(url, {query = {q = S, n = 'a\\0'}})
            return {r.body == S, r.body_size, e and e:kind() or u.status_code, e2 ~= nil, q.status_code, http_client.decode_uri(http_client.encode_uri(S)) == S}`,
        },
        [
          { name: 'gateway', kind: 'http.service', addr: '127.0.0.1:0', lifecycle: { auto_start: true } },
          { name: 'api', kind: 'http.router', meta: { server: 'app:gateway' } },
          endpoint('echo', 'POST'),
          endpoint('query', 'GET'),
          endpoint('header', 'GET'),
        ],
      ),
    }),
  );
  const url = program.url('app:gateway');
  const bytes = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());
  t.same(await bytes(await fetch(`${url}/echo`, { method: 'POST', body: RAW })), RAW);
  const escaped = [...RAW].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const query = await fetch(`${url}/query?q=${escaped}`);
  t.equal(query.status, 200);
  t.same(await bytes(query), Buffer.from(SHOWN), 'names and values of a URL are text');
  const header = await fetch(`${url}/header`);
  t.same(await header.json(), [true, true, SHOWN]);
  const value = (await program.call('app:out', [out])) as LuaTable;
  t.same(value.sequence().slice(0, 2), [true, RAW.length]);
  t.same(value.sequence().slice(3), [true, 200, true]);
  t.same(seen[0]?.body, RAW);
});
