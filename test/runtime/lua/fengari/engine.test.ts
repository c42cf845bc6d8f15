import { test } from 'tap';
import { isPromise } from '../../../../runtime/call.ts';
import { contextKey, rootContext } from '../../../../runtime/context.ts';
import { type CallError, canceled } from '../../../../runtime/errors.ts';
import { type HostFunction, Suspension } from '../../../../runtime/lua/engine.ts';
import { LuaTable } from '../../../../runtime/lua/values.ts';
import { luaBench, NO_LIMITS } from '../../../harness/lua.ts';

const plain = (value: unknown): unknown => {
  if (!(value instanceof LuaTable)) return value;
  const n = value.length;
  if (n > 0 && n === value.map.size) return value.sequence().map(plain);
  return Object.fromEntries([...value.map].map(([k, v]) => [String(k), plain(v)]));
};

test('values cross both ways', async (t) => {
  const lua = luaBench();
  t.equal(await lua.run('return 1 + 1'), 2);
  t.equal(await lua.run('return "a" .. 1'), 'a1');
  t.equal(await lua.run('return nil'), undefined);
  t.same(plain(await lua.run('return {1, 2, {x = true}}')), [1, 2, { x: true }]);
  t.same(await lua.run('return "\\xff\\0a"'), new Uint8Array([0xff, 0, 0x61]));
  t.equal(await lua.run('return "\\u{1F600}\\0"'), '\u{1F600}\0');
  t.same(
    plain(
      await lua.run('local a = ...; return {a.list[2], a.deep.x, #a.list}', {
        args: [{ list: [5, 6], deep: { x: 'y' } }],
      }),
    ),
    [6, 'y', 2],
  );
  t.equal(await lua.run('return host.same(host)  == host'), true, 'a reference is the very same value');
});

test('cycles and shared tables keep their shape', async (t) => {
  const lua = luaBench();
  const value = (await lua.run('local s = {}; local t = {a = s, b = s}; t.self = t; return t')) as LuaTable;
  t.equal(value.get('self'), value);
  t.equal(value.get('a'), value.get('b'));
  t.equal(await lua.run('local t = ...; return t.self == t and t.a == t.b', { args: [value] }), true);
});

test('tables 1,000 levels deep cross, 10,001 levels do not', async (t) => {
  const lua = luaBench();
  const deep = (n: number): string =>
    `local t = {}; local top = t; for i = 1, ${n} do t.x = {}; t = t.x end; return top`;
  let level = (await lua.run(deep(1000))) as LuaTable | undefined;
  let depth = 0;
  for (; level !== undefined; level = level.get('x') as LuaTable | undefined) depth += 1;
  t.equal(depth, 1001);
  await t.rejects(lua.run(deep(10_001)), { message: /nested deeper than 10000/ });
});

test('functions and host objects are nil to other calls', async (t) => {
  const lua = luaBench();
  t.same(plain(await lua.run('return {f = print, c = coroutine.create(print), ch = channel.new(), n = 1}')), { n: 1 });
});

test('outcomes of a call (common.md, section 4)', async (t) => {
  const lua = luaBench();
  await t.rejects(lua.run('return nil, "no"'), { message: 'no', kind: 'Internal', retryable: false });
  await t.rejects(lua.run('host.raise("Timeout")'), { message: 'from the host', kind: 'Timeout', retryable: true });
  await t.rejects(lua.run('error("boom")'), { message: 'chunk.lua:1: boom', kind: 'Internal' });
  await t.rejects(lua.run('error({})'), { name: 'CallError', kind: 'Internal' });
  await t.rejects(lua.run('local t = {}; local top = t; for i = 1, 20000 do t.x = {}; t = t.x end; error(top)'), {
    message: '(error object is a table value)',
  });
  t.equal(await lua.run('return 5, {}'), 5, 'a second result of another type is ignored');
});

test('rule 56: a JavaScript error of a host function reaches Lua and the caller with its message', async (t) => {
  const lua = luaBench();
  t.equal(await lua.run('local ok, e = pcall(host.fail, "disk on fire"); return e'), 'disk on fire');
  await t.rejects(lua.run('host.fail("disk on fire")'), { message: 'chunk.lua:1: disk on fire' });
  t.equal(await lua.run('local ok, e = pcall(host.raise, "Timeout"); return e:kind()'), 'Timeout');
  t.equal(
    await lua.run('local ok, e = pcall(host.failLater, "gone"); return e:kind() .. e:message()'),
    'Unavailablegone',
  );
});

test('a host function that does not return a list of results is told so, where it is called', async (t) => {
  const odd: readonly unknown[] = ['abc', 5, null, { a: 1 }];
  const lua = luaBench({
    now2: (_thread, [i]) => odd[Number(i)] as never,
    later2: async (_thread, [i]) => odd[Number(i)] as never,
    suspended: (_thread, [i]) => new Suspension((resume) => setImmediate(() => resume(odd[Number(i)] as never))),
  });
  for (const name of ['now2', 'later2', 'suspended']) {
    for (const [i, got] of ['a string', 'a number', 'null', 'an object'].entries()) {
      await t.rejects(lua.run(`return host.${name}(${i})`), {
        message: `chunk.lua:1: '${name}' gave ${got}: a host function returns its results as an array`,
      });
    }
    t.equal(await lua.run(`return (pcall(host.${name}, 0))`), false);
  }
});

test('an uncaught error carries the Lua traceback with file and line', async (t) => {
  const lua = luaBench();
  const one = lua.instance('local function inner()\n  error("boom")\nend\nreturn function()\n  inner()\nend', {
    path: 'shop/a.lua',
  });
  const request = { args: [], context: rootContext, pid: 'p', entryId: 'a:b', limits: NO_LIMITS };
  const error = await Promise.resolve()
    .then(() => one.call(request))
    .then(
      () => undefined,
      (e: unknown) => e as CallError,
    );
  const lines = error?.frames.filter((f) => f.type !== 'host').map((f) => `${f.source}:${f.line}`);
  t.same(lines, ['shop/a.lua:2', 'shop/a.lua:5']);
  t.match(one.definedAt, { source: 'shop/a.lua', line: 4 });
});

test('a traceback reaches into the user coroutine that failed', async (t) => {
  const lua = luaBench();
  const body = 'local co = coroutine.wrap(function()\nlocal x = nil\nx.y = 1\nend)\nco()';
  const error = (await lua.run(body).catch((e: unknown) => e)) as CallError;
  t.match(error.message, /attempt to index a nil value/);
  t.ok(
    error.frames.some((f) => f.line === 3),
    'the failing line',
  );
  t.ok(
    error.frames.some((f) => f.line === 5),
    'the line that resumed it',
  );
});

test('host yields', async (t) => {
  const lua = luaBench();
  await t.test('in tail position', async (t) => t.equal(await lua.run('return host.later(7)'), 7));
  await t.test('inside pcall', async (t) =>
    t.same(plain(await lua.run('local ok, v = pcall(host.later, 3); return {ok, v}')), [true, 3]),
  );
  await t.test('inside nested pcall and error after it', async (t) =>
    t.match(await lua.run('local ok, e = pcall(function() host.later(1); error("after") end); return e'), /after/),
  );
  await t.test('inside a user coroutine, which resume does not notice', async (t) =>
    t.same(
      plain(
        await lua.run(
          'local co = coroutine.create(function(a) local b = host.later(a + 1); local c = coroutine.yield(b); return host.later(c * 2) end)\n' +
            'local _, x = coroutine.resume(co, 1); local _, y = coroutine.resume(co, 10); return {x, y, coroutine.status(co)}',
        ),
      ),
      [2, 20, 'dead'],
    ),
  );
  await t.test('inside an iterator made by wrap', async (t) =>
    t.equal(
      await lua.run(
        'local s = 0; for v in coroutine.wrap(function() for i = 1, 3 do host.later(); coroutine.yield(i) end end) do s = s + v end; return s',
      ),
      6,
    ),
  );
  await t.test('inside a metamethod', async (t) =>
    t.equal(
      await lua.run('local m = setmetatable({}, {__index = function(_, k) return host.later(k) end}); return m.abc'),
      'abc',
    ),
  );
  await t.test('three coroutines deep', async (t) =>
    t.equal(
      await lua.run(
        'local function nest(n) if n == 0 then return host.later(42) end; return coroutine.wrap(function() return nest(n - 1) end)() end; return nest(3)',
      ),
      42,
    ),
  );
  await t.test('raise in callbacks of gsub and at top level', async (t) => {
    await t.rejects(lua.run('return (string.gsub("a", "a", function() return host.later("b") end))'), {
      message: /across a JS-call boundary/,
    });
    t.throws(() => lua.instance('host.sleep(1)\nreturn function() end'), { message: /across a JS-call boundary/ });
    t.equal(
      await lua.run('return (string.gsub("a", "a", function() return host.now("b") end))'),
      'b',
      'a call that never waits may',
    );
  });
});

test('500 calls wait at once', async (t) => {
  const lua = luaBench();
  const start = performance.now();
  const all = await Promise.all(Array.from({ length: 500 }, (_, i) => lua.run(`host.sleep(100); return ${i}`)));
  t.same(
    all,
    Array.from({ length: 500 }, (_, i) => i),
  );
  t.ok(performance.now() - start < 500 * 100 * 0.5, 'they did not wait one after the other');
});

test('rule 53: context belongs to the coroutine', async (t) => {
  const KEY = contextKey('key', '');
  const lua = luaBench({ key: (thread) => [thread.context.get(KEY)] });
  const body = [
    'local seen = {host.key()}',
    'host.sleep(...)',
    'seen[2] = host.key()',
    'local co = coroutine.wrap(function() host.sleep(1); seen[3] = host.key() end); co()',
    'local done = channel.new()',
    'coroutine.spawn(function() host.sleep(1); seen[4] = host.key(); done:send(true) end)',
    'done:receive()',
    'return table.concat(seen, ",")',
  ].join('\n');
  const runs = Array.from({ length: 200 }, (_, i) =>
    lua.run(body, { args: [(i * 7) % 20], context: rootContext.with(KEY, `r${i}`) }),
  );
  const results = await Promise.all(runs);
  t.same(
    results,
    results.map((_, i) => [0, 0, 0, 0].map(() => `r${i}`).join(',')),
  );
});

test('globals stay in their instance, module tables cannot be changed', async (t) => {
  const lua = luaBench();
  const first = lua.instance('return function() counter = (counter or 0) + 1; return counter end');
  const request = { args: [], context: rootContext, pid: 'p', entryId: 'a:b', limits: NO_LIMITS };
  t.match(await first.call(request), { value: 1 });
  t.match(await first.call(request), { value: 2 });
  t.equal(await lua.run('return counter'), undefined);
  for (const change of [
    'string.x = 1',
    'host.x = 1',
    'rawset(string, "x", 1)',
    'table.insert(host, 1)',
    'setmetatable(string, {})',
  ]) {
    await t.rejects(lua.run(change), { name: 'CallError' }, change);
  }
  for (const absent of [
    'load',
    'loadstring',
    'dofile',
    'loadfile',
    'collectgarbage',
    'getfenv',
    'setfenv',
    'module',
    'newproxy',
    'debug',
    'io',
  ]) {
    t.equal(await lua.run(`return type(${absent})`), 'nil', absent);
  }
  for (const absent of ['execute', 'exit', 'getenv', 'remove', 'rename', 'tmpname'])
    t.equal(await lua.run(`return os.${absent}`), undefined, absent);
});

test('arguments may arrive as the texts that tostring makes of them', async (t) => {
  const seen: unknown[] = [];
  const keep: HostFunction = (_thread, args) => {
    seen.push(args);
    return [args.length];
  };
  const lua = luaBench();
  lua.engine.define({ name: 'texts', isGlobal: true, functions: { keep, plain: keep }, asText: ['keep'] });
  const call = (name: string, args: string) => lua.run(`return texts.${name}(${args})`);
  t.equal(
    await call('keep', '1, 2.5, nil, true, "\\255", setmetatable({}, { __tostring = function() return "own" end })'),
    6,
  );
  t.same(seen.pop(), ['1', '2.5', 'nil', 'true', new Uint8Array([255]), 'own']);
  t.equal(await call('plain', '1, nil, true'), 3);
  t.same(seen.pop(), [1, undefined, true], 'a function that is not listed gets values');
  await t.rejects(call('keep', 'setmetatable({}, { __tostring = function() error("no text", 0) end })'), {
    message: 'no text',
  });
  t.same(seen, []);
});

test('a module may hold tables of functions, which cannot be changed either', async (t) => {
  const lua = luaBench();
  lua.engine.define({
    name: 'machine',
    isGlobal: true,
    functions: { name: () => ['m'] },
    tables: {
      memory: { functions: { used: (_thread, [more]) => [40 + Number(more ?? 0)] }, constants: { UNIT: 'bytes' } },
      wait: { functions: { turn: async () => ['later'] }, yields: ['turn'] },
    },
  });
  t.equal(await lua.run('return machine.name() .. machine.memory.used(2) .. machine.memory.UNIT'), 'm42bytes');
  t.equal(await lua.run('return machine.wait.turn()'), 'later');
  t.equal(await lua.run('return machine.memory == machine.memory and type(machine.memory)'), 'table');
  await t.rejects(lua.run('machine.memory.used = nil'), /read-only/);
  await t.rejects(lua.run('machine.memory = nil'), /read-only/);
});

test('require', async (t) => {
  const lua = luaBench();
  t.equal(await lua.run('return require("host") == host and require("string") == string'), true);
  await t.rejects(lua.run('require("nothing")'), { message: /module 'nothing' not found/ });
  const library = lua.engine.load({
    id: 'a:lib',
    source: 'runs = (runs or 0) + 1; return {double = function(x) return x * 2 end, runs = runs}',
    path: 'lib.lua',
    modules: [],
    imports: {},
  });
  const program = lua.engine.load({
    id: 'a:f',
    source: 'local lib = require("lib"); return {main = function(x) return lib.double(x) + require("lib").runs end}',
    path: 'f.lua',
    method: 'main',
    modules: [],
    imports: { lib: library },
  });
  const request = { args: [4], context: rootContext, pid: 'p', entryId: 'a:f', limits: NO_LIMITS };
  t.match(await program.instantiate(rootContext).call(request), { value: 9 });
  const missing = lua.engine.load({
    id: 'a:g',
    source: 'return {}',
    path: 'g.lua',
    method: 'main',
    modules: [],
    imports: {},
  });
  t.throws(() => missing.instantiate(rootContext), { kind: 'NotFound', message: 'method "main" not found in module' });
});

test('syntax errors name file and line', async (t) => {
  const lua = luaBench();
  t.throws(() => lua.instance('return function(\n\nx y) end', { path: 'bad.lua' }), {
    name: 'LuaSyntaxError',
    path: 'bad.lua',
    line: 3,
  });
  t.throws(() => lua.instance('goto nowhere', { path: 'bad.lua' }), { name: 'LuaSyntaxError', line: 1 });
});

test('rule 58: a budget ends a call, also inside pcall and coroutines', async (t) => {
  const lua = luaBench();
  const loops = {
    plain: 'while true do end',
    pcall: 'while true do pcall(function() while true do end end) end',
    xpcall: 'while true do xpcall(function() while true do end end, function() while true do end end) end',
    coroutine:
      'local co = coroutine.wrap(function() pcall(function() while true do end end) end); while true do pcall(co) end',
    gsub: 'while true do pcall(string.gsub, "a", "a", function() while true do end end) end',
    sort: 'table.sort({3, 2, 1}, function() while true do end end)',
    spawned: 'coroutine.spawn(function() while true do end end); host.sleep(60000)',
  };
  for (const [name, body] of Object.entries(loops)) {
    const reasons: string[] = [];
    const onKilled = (reason: string): number => reasons.push(reason);
    await t.rejects(
      lua.run(body, { limits: { cpuMs: 50 }, onKilled }),
      { kind: 'Internal', retryable: false, message: /^limit exceeded: cpu_ms 50 in test:/ },
      `cpu: ${name}`,
    );
    await t.rejects(
      lua.run(body, { limits: { instructions: 20_000 }, onKilled }),
      { message: /^limit exceeded: instructions 20000 in/ },
      `instructions: ${name}`,
    );
    t.same(reasons, ['cpu', 'instructions'], `told once each: ${name}`);
  }
  t.equal(
    await lua.run('local n = 0; for i = 1, 1e5 do n = n + 1 end; return n', { limits: { cpuMs: 5000 } }),
    1e5,
    'what is within the budget ends well',
  );
});

test('the budget starts again at every host yield', async (t) => {
  const lua = luaBench();
  const body = 'for i = 1, 20 do for j = 1, 1000 do end; host.later() end; return "done"';
  t.equal(await lua.run(body, { limits: { instructions: 5000 } }), 'done');
  // The hook counts 1,000 at a time: what of them ran before the yield is not counted after it.
  t.equal(await lua.run(body, { limits: { instructions: 1500 } }), 'done');
  const few = 'for i = 1, 20 do for j = 1, 100 do end; host.later() end; return "done"';
  t.equal(await lua.run(few, { limits: { instructions: 300 } }), 'done');
  t.equal(await lua.run(`return coroutine.wrap(function() ${few} end)()`, { limits: { instructions: 300 } }), 'done');
  await t.rejects(lua.run(few.replace('later', 'now'), { limits: { instructions: 300 } }), {
    message: /limit exceeded/,
  });
  await t.rejects(lua.run(body.replace('host.later()', 'host.now()'), { limits: { instructions: 5000 } }), {
    message: /limit exceeded/,
  });
});

test('result_bytes', async (t) => {
  const lua = luaBench();
  await t.rejects(lua.run('return string.rep("x", 2000)', { limits: { resultBytes: 1000 } }), {
    message: /limit exceeded: result_bytes 1000/,
  });
  t.equal(await lua.run('return #string.rep("x", 2000)', { limits: { resultBytes: 1000 } }), 2000);
});

test('a long run does not hold the others', async (t) => {
  const lua = luaBench();
  const order: string[] = [];
  const long = lua.run('local n = 0; for i = 1, 3e6 do n = n + 1 end; return n').then(() => order.push('long'));
  const inCoroutine = lua
    .run('return coroutine.wrap(function() local n = 0; for i = 1, 3e6 do n = n + 1 end; return n end)()')
    .then(() => order.push('long'));
  const short = lua.run('host.sleep(1); return 1').then(() => order.push('short'));
  await Promise.all([long, short, inCoroutine]);
  t.equal(order[0], 'short');
});

test('a call that never waits gives way at a yielding function', async (t) => {
  const lua = luaBench({}, {});
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 1);
  t.teardown(() => clearInterval(timer));
  await lua.run('for i = 1, 200 do for j = 1, 5000 do end; host.turn() end');
  t.ok(ticks > 5, `timers ran meanwhile: ${ticks}`);
});

test('the time that host calls and nested calls take counts too: whoever makes long ones gives way after each', async (t) => {
  const spin = (): void => {
    for (const end = performance.now() + 1.5; performance.now() < end; );
  };
  const lua = luaBench({ spin }, {});
  lua.engine.define({
    name: 'long',
    isGlobal: true,
    yields: ['call', 'spin'],
    functions: {
      spin: () => void spin(),
      call(thread) {
        const out = callee.call({ args: [], context: thread.context, pid: 'p', entryId: 'a:b', limits: NO_LIMITS });
        return isPromise(out) ? out.then(() => []) : [];
      },
    },
  });
  const callee = lua.instance('return function() host.spin() end');
  for (const name of ['spin', 'call']) {
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await lua.run(`for i = 1, 20 do long.${name}() end`);
    isOver = true;
    t.ok(turns >= 20, `others had their turn after each ${name}: ${turns}`);
  }
});

test('cancelling the context ends a waiting call, and gives its resources back in reverse order', async (t) => {
  const order: string[] = [];
  const lua = luaBench({ take: (thread, [name]) => void thread.run.defer(() => void order.push(String(name))) });
  const abort = new AbortController();
  const run = lua.run('host.take("a"); host.take("b"); pcall(host.sleep, 60000); return 1', {
    context: rootContext.withSignal(abort.signal),
  });
  abort.abort(canceled('client gone'));
  await t.rejects(run, { kind: 'Canceled', message: 'client gone' });
  t.same(order, ['b', 'a']);
  await lua.run('host.take("c")');
  t.same(order, ['b', 'a', 'c'], 'at a normal end too');
});

test('a release that takes itself back at the end of the call keeps none of the others from running', async (t) => {
  const order: string[] = [];
  const take: HostFunction = (thread, [name]) => {
    const forget = thread.run.defer(() => {
      forget();
      order.push(String(name));
    });
  };
  await luaBench({ take }).run('for _, name in ipairs({ "a", "b", "c", "d" }) do host.take(name) end');
  t.same(order, ['d', 'c', 'b', 'a']);
});

test('spawned coroutines', async (t) => {
  const lua = luaBench();
  t.equal(
    await lua.run(
      'local s = ""; coroutine.spawn(function() s = s .. "b" end); s = s .. "a"; host.later(); return s .. "c"',
    ),
    'abc',
  );
  await t.rejects(lua.run('coroutine.spawn(function() error("in spawn") end); host.sleep(60000)'), {
    message: /in spawn/,
  });
  t.equal(
    await lua.run('coroutine.spawn(function() host.sleep(60000) end); return "over"'),
    'over',
    'dropped when main returns',
  );
});

test('print writes one line', async (t) => {
  const lua = luaBench();
  await lua.run('print("a", 1, nil, true, 2^31)');
  t.same(lua.printed, ['a 1 nil true 2147483648']);
});

test('validators', async (t) => {
  const lua = luaBench();
  t.same(plain(await lua.run('return {string("a"), number(1), integer(2), boolean(false), any("x")}')), [
    'a',
    1,
    2,
    false,
    'x',
  ]);
  for (const bad of ['string(1)', 'number("1")', 'integer(1.5)', 'boolean(nil)'])
    await t.rejects(lua.run(`return ${bad}`), { message: /expected .*, got / }, bad);
  t.equal(await lua.run('return string.format("%d", 3)'), '3');
});

test('recursion through the host does not exhaust the stack', async (t) => {
  const lua = luaBench({
    again: async (_thread, [n]) => [
      (n as number) === 0 ? 0 : await lua.run('return host.again(...) + 1', { args: [(n as number) - 1] }),
    ],
  });
  t.equal(await lua.run('return host.again(300)'), 300);
});

test('error values are the same value again', async (t) => {
  const lua = luaBench();
  t.equal(
    await lua.run('local ok, e = pcall(host.raise, "Conflict"); local ok2, e2 = pcall(error, e); return e == e2'),
    true,
  );
  t.equal(
    await lua.run('local _, e = pcall(host.raise, "Conflict"); return "x: " .. e .. " " .. type(e)'),
    'x: from the host userdata',
  );
  t.equal(await lua.run('local _, e = pcall(host.raise, "Conflict"); return (string.find(e, "host"))'), 10);
});
