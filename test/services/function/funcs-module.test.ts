import { test } from 'tap';
import { LuaTable } from '../../../runtime/lua/values.ts';
import { SecurityActor } from '../../../services/security/actor.ts';
import { ACTOR } from '../../../services/security/port.ts';
import { guardedContext } from '../security/guarded-context.ts';
import { lua, surfaceBench } from '../surface-bench.ts';

const run = async (t: Parameters<typeof surfaceBench>[0], body: string, ...others: ReturnType<typeof lua>[]) => {
  const bench = await surfaceBench(t, [lua('app:main', body), ...others]);
  return { bench, value: await bench.call('app:main') };
};

test('targets are checked in the order of lua/funcs.md, section 1', async (t) => {
  const cases: [string, string][] = [
    [`''`, 'Invalid function ID required'],
    [`'name'`, 'Invalid namespace required in function ID'],
    [`':name'`, 'Invalid namespace required in function ID'],
    [`'ns:'`, 'Invalid name required in function ID'],
    [`'app:none'`, 'NotFound no handler registered for target'],
  ];
  for (const [target, expected] of cases) {
    const { value } = await run(
      t,
      `local v, e = funcs.call(${target}); return tostring(v) .. ' ' .. e:kind() .. ' ' .. e:message()`,
    );
    t.equal(value, `nil ${expected}`, target);
  }
  const { value } = await run(
    t,
    `local _, e = funcs.new():async(''); return e:message() .. tostring(pcall(funcs.call, {}))`,
  );
  t.match(value, /^function ID requiredfalse/);
});

test('a callee failure arrives as nil, err with kind, message and retryable; call never raises for it', async (t) => {
  const { value } = await run(
    t,
    `local a, e = funcs.call('app:two'); local b, f = funcs.call('app:raises')
     return tostring(a) .. e:kind() .. tostring(e:retryable()) .. e:message() .. ' ' .. tostring(b) .. f:kind() .. f:message()`,
    lua('app:two', `return 1, 'second'`),
    lua('app:raises', `error('boom', 0)`),
  );
  t.equal(value, 'nilInternalfalsesecond nilInternalboom');
});

test('arguments and results are copies; cycles and shared tables survive; functions become nil', async (t) => {
  const { value } = await run(
    t,
    `local a = {n = 1, f = print}; a.self = a; local s = {}; a.one, a.two = s, s
     local r = funcs.call('app:f', a, nil, print)
     return tostring(r ~= a) .. tostring(r.self == r) .. tostring(r.one == r.two) .. tostring(r.f) .. tostring(a.n) .. tostring(r.n)`,
    lua('app:f', `local x, y, z = ...; assert(y == nil and z == nil); x.n = 2; return x`),
  );
  t.equal(value, 'truetruetruenil12');
});

test('a future is never complete right after async, delivers one Payload, then closes', async (t) => {
  const { value } = await run(
    t,
    `local f = funcs.async('app:quick', 20)
     local before = tostring(f:is_complete()) .. tostring(f:result()) .. tostring(select(2, f:error()))
     local ch = f:response()
     local p, ok = ch:receive()
     local _, more = ch:receive()
     return before .. ' ' .. p:data() .. tostring(ok) .. tostring(more) .. tostring(f:is_complete()) .. f:result():data() .. tostring(p) .. tostring(ch == f:channel())`,
    lua('app:quick', `return ... + 1`),
  );
  t.equal(value, 'falsenilfalse 21truefalsetrue21payload{format=lua/any}true');
});

test('an async callee first runs when its caller gives way', async (t) => {
  const { bench } = await run(
    t,
    `local f = funcs.async('app:f'); host.note('caller'); f:response():receive(); host.note('received')`,
    lua('app:f', `host.note('callee')`),
  );
  t.same(bench.notes, ['caller', 'callee', 'received']);
});

test('a failed future delivers the error value, then closes', async (t) => {
  const { value } = await run(
    t,
    `local f = funcs.async('app:none')
     local e, ok = f:response():receive()
     local again, failed = f:error()
     local r, why = f:result()
     return e:kind() .. tostring(ok) .. again:kind() .. tostring(failed) .. tostring(r) .. why:message() .. tostring(f:is_canceled())`,
  );
  t.equal(value, 'NotFoundtrueNotFoundtruenilno handler registered for targetfalse');
});

test('a cancelled future closes its channel and ends the callee', async (t) => {
  const { bench, value } = await run(
    t,
    `local f = funcs.async('app:slow'); host.sleep(5)
     local done = f:cancel()
     local v, ok = f:response():receive()
     local _, e = f:result()
     host.sleep(5)
     return tostring(done) .. tostring(v) .. tostring(ok) .. tostring(f:is_canceled()) .. e:kind() .. e:message()`,
    lua('app:slow', `host.sleep(600000)`),
  );
  t.equal(value, 'truenilfalsetrueCanceledcanceled');
  t.same(bench.rows('function_in_flight'), ['function_id=app:main 0', 'function_id=app:slow 0']);
  t.ok(bench.rows('function_calls').includes('function_id=app:slow,status=error 1'));
});

test('asyncs run beside each other, and select takes the first', async (t) => {
  const start = performance.now();
  const { value } = await run(
    t,
    `local fs = {}; for i = 1, 20 do fs[i] = funcs.async('app:slow', 100) end
     local quick = funcs.async('app:slow', 1)
     local r = channel.select{ fs[1]:response():case_receive(), quick:response():case_receive() }
     local sum = 0; for i = 1, 20 do sum = sum + fs[i]:response():receive():data() end
     return tostring(r.channel == quick:response()) .. sum`,
    lua('app:slow', `local ms = ...; host.sleep(ms); return ms`),
  );
  t.equal(value, 'true2000');
  t.ok(performance.now() - start < 1600, 'about one length, not twenty');
});

test('executors are immutable; context merges down the calls, options replace, wrong types raise', async (t) => {
  const { value } = await run(
    t,
    `local base = funcs.new()
     local a = base:with_context{x = 1, y = 1, f = print}
     local b = a:with_context{y = 2, t = {z = 3}}
     assert(base ~= a and a ~= b and base:with_options{} ~= base)
     return b:call('app:outer') .. ' ' .. a:call('app:inner') .. ' ' .. funcs.call('app:inner') .. tostring(pcall(a.with_context, a, nil))`,
    lua('app:outer', `return funcs.new():with_context{x = 9}:call('app:inner') .. '/' .. funcs.call('app:inner')`),
    lua(
      'app:inner',
      `local t = ctx.get('t'); return tostring(ctx.get('x')) .. tostring(ctx.get('y')) .. tostring(t and t.z) .. tostring(ctx.get('f'))`,
    ),
  );
  t.match(value, /^923nil\/123nil 11nilnil nilnilnilnilfalse/);
});

test('ctx: faults, copies and all()', async (t) => {
  const { value } = await run(
    t,
    `return funcs.new():with_context{k = {n = 1}}:call('app:f')`,
    lua(
      'app:f',
      `ctx.get('k').n = 2; ctx.all().k = nil
       local _, none = ctx.get('none'); local _, empty = ctx.get('')
       return ctx.all().k.n .. none:kind() .. none:message() .. empty:kind() .. tostring(pcall(ctx.get, {}))`,
    ),
  );
  t.match(value, /^1NotFoundkey not found: noneInvalidfalse/);
});

test('calls and executors ask for their permissions, and a denial is returned', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:callee', `return 1`),
    lua(
      'app:main',
      `local out = {}
       local function says(name, v, e) out[#out + 1] = name .. ' ' .. (e and e:kind() .. ' ' .. e:message() or 'ok') end
       local exec = funcs.new()
       says('call', funcs.call('app:callee'))
       says('async', funcs.async('app:callee'))
       says('bad id', funcs.call('callee'))
       says('unknown', exec:call('app:none'))
       says('with_context', exec:with_context{a = 1})
       says('with_options', exec:with_options{timeout = '1s'})
       says('network', exec:with_options{network = 'app:net'})
       says('with_actor', exec:with_actor(security.actor() or security.new_actor('x')))
       says('with_scope', exec:with_scope(security.new_scope()))
       return table.concat(out, '; ')`,
    ),
  ]);
  const denied = guardedContext((action) => action === 'security.scope.create' || action === 'security.actor.create');
  const isReal = (context: typeof denied.context) => context.with(ACTOR, new SecurityActor('ann', new LuaTable()));
  t.same(String(await bench.call('app:main', [], isReal(denied.context))).split('; '), [
    'call PermissionDenied not allowed: app:callee',
    'async PermissionDenied not allowed: app:callee',
    'bad id Invalid namespace required in function ID',
    'unknown PermissionDenied not allowed: app:none',
    'with_context PermissionDenied not allowed: context',
    'with_options ok',
    'network PermissionDenied not allowed: app:net',
    'with_actor PermissionDenied not allowed: security',
    'with_scope PermissionDenied not allowed: security',
  ]);
  t.same(denied.checks, [
    'funcs.call app:callee',
    'funcs.call app:callee',
    'funcs.call app:none',
    'funcs.context context',
    'network.select app:net',
    'funcs.security security',
    'security.scope.create custom',
    'funcs.security security',
  ]);
  const allowed = String(await bench.call('app:main', [], isReal(guardedContext(() => true).context)));
  t.same(
    allowed.split('; ').filter((one) => !one.endsWith(' ok')),
    ['bad id Invalid namespace required in function ID', 'unknown NotFound no handler registered for target'],
  );
});
