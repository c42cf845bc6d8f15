import { test } from 'tap';
import { type CallContext, contextKey, rootContext } from '../../../runtime/context.ts';
import { canceled } from '../../../runtime/errors.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { type BusEvent, EVENTS } from '../../../services/events/port.ts';
import { SECURITY, type Security } from '../../../services/security/port.ts';
import { poll } from '../../harness/poll.ts';
import { type EntryText, lua, surfaceBench } from '../surface-bench.ts';

type Teardown = Parameters<typeof surfaceBench>[0];
/** Small limits, so that they can be reached. */
const LIMITS = { maxBacklog: 6, maxSubscribers: 3 };
const HELD = 64 + LIMITS.maxBacklog;
const bench = (t: Teardown, body: string, more: EntryText[] = [], events = LIMITS) =>
  surfaceBench(t, [lua('app:main', body), ...more], { settings: { events } });
const ROWS = ['eventbus_subscribers_active', 'eventbus_subscribers_rejected_total', 'eventbus_events_total'];
const rowsOf = (one: Awaited<ReturnType<typeof surfaceBench>>) => ROWS.map((name) => one.rows(name));

test('the gauge is there at 0 before anything happened, the other series come with their first use', async (t) => {
  t.same(rowsOf(await bench(t, '')), [[' 0'], [], []]);
});

test('rule 66: each matched event counts once: when it is received, or when and why it is dropped', async (t) => {
  const one = await bench(
    t,
    `local sub = assert(events.subscribe('s', 'k'))
     for i = 1, ${HELD + 5} do events.send('s', 'k', '/' .. i) end
     events.send('s', 'other', '/')
     for i = 1, 10 do sub:channel():receive() end
     host.note('open')
     channel.new():receive()`,
  );
  const abort = new AbortController();
  const done = one.call('app:main', [], rootContext.withSignal(abort.signal));
  await poll('events are waiting', () => one.notes.length > 0);
  t.same(rowsOf(one), [[' 1'], [], ['reason=none,result=delivered 10', 'reason=slow,result=dropped 5']]);
  abort.abort(canceled('enough'));
  await t.rejects(done, { message: 'enough' });
  t.same(rowsOf(one), [
    [' 0'],
    [],
    [`reason=closed,result=dropped ${HELD - 10}`, 'reason=none,result=delivered 10', 'reason=slow,result=dropped 5'],
  ]);
});

test('received counts wherever it was received: by one who waited, in a select, among others', async (t) => {
  const one = await bench(
    t,
    `local sub = assert(events.subscribe('s'))
     local ch = sub:channel()
     coroutine.spawn(function() ch:receive() end)
     host.sleep(1)
     events.send('s', 'k', 'to one who waits')
     events.send('s', 'k', 'to a select')
     channel.select { ch:case_receive() }
     coroutine.spawn(function() host.sleep(1); events.send('s', 'k', 'to a select that waits') end)
     channel.select { channel.new():case_receive(), ch:case_receive() }
     sub:close()`,
  );
  await one.call('app:main');
  t.same(rowsOf(one), [[' 0'], [], ['reason=none,result=delivered 3']]);
});

test('an event to a channel that Lua has closed is dropped as closed, and the place is free', async (t) => {
  const one = await bench(
    t,
    `local sub = assert(events.subscribe('s'))
     sub:channel():close()
     for i = 1, 3 do events.send('s', 'k', '/') end
     for i = 1, ${LIMITS.maxSubscribers} do assert(events.subscribe('t')) end`,
  );
  await one.call('app:main');
  t.same(rowsOf(one), [[' 0'], [], ['reason=closed,result=dropped 1']]);
});

test('subscriptions end with the call, however it ends', async (t) => {
  const one = await bench(t, `assert(events.subscribe('s')); assert(events.subscribe('s*')); error('x')`, [
    lua('app:waits', `local sub = assert(events.subscribe('s')); host.note('waits'); sub:channel():receive()`),
    lua('app:returns', `return assert(events.subscribe('s')) ~= nil`),
  ]);
  await t.rejects(one.call('app:main'), { message: /x/ });
  t.same(one.rows('eventbus_subscribers_active'), [' 0']);
  t.equal(await one.call('app:returns'), true);
  t.same(one.rows('eventbus_subscribers_active'), [' 0']);
  const abort = new AbortController();
  const waiting = one.call('app:waits', [], rootContext.withSignal(abort.signal));
  await poll('it waits', () => one.notes.length > 0);
  t.same(one.rows('eventbus_subscribers_active'), [' 1']);
  abort.abort(canceled('no longer wanted'));
  await t.rejects(waiting, { message: 'no longer wanted', kind: 'Canceled' });
  t.same(one.rows('eventbus_subscribers_active'), [' 0']);
});

test('dropped events are told once an episode, with who is slow; it ends when nothing waits behind the channel', async (t) => {
  const one = await bench(
    t,
    `local sub = assert(events.subscribe('s.*', 'k'))
     local function send(n) for i = 1, n do events.send('s.a', 'k', 'secret') end end
     local function receive(n) for i = 1, n do sub:channel():receive() end end
     send(${HELD + 5})
     receive(1); send(3)                        -- one place is no recovery
     receive(${LIMITS.maxBacklog + 1}); send(1) -- now the backlog is empty
     send(${HELD})`,
  );
  const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1, isRemote: true };
  await one.call('app:main', [], rootContext.with(TRACE, trace));
  const lines = one.lines.filter(({ fields }) => fields.subsystem === 'events');
  t.equal(lines.length, 2);
  t.match(lines[0], {
    level: 'warn',
    message: /events\.max_backlog/,
    fields: { function_id: 'app:main', pid: /app:main/, system: 's.*', kind: 'k', max_backlog: LIMITS.maxBacklog },
  });
  t.notMatch(JSON.stringify(lines), /secret/);
});

test('refused subscriptions are counted, and Lua is told why', async (t) => {
  const one = await bench(
    t,
    `for i = 1, ${LIMITS.maxSubscribers} do assert(events.subscribe('s')) end
     local sub, err = events.subscribe('s')
     return tostring(sub) .. ' ' .. err:kind() .. ' ' .. tostring(err:retryable())`,
  );
  t.equal(await one.call('app:main'), 'nil Unavailable true');
  t.same(rowsOf(one), [[' 0'], ['reason=cap 1'], []]);
});

test('by default 10,000 events wait behind the channel', async (t) => {
  const one = await surfaceBench(t, [
    lua(
      'app:main',
      `local sub, go = assert(events.subscribe('s')), assert(events.subscribe('go'))
       host.note('listens')
       go:channel():receive()
       local n, last = 0
       while true do
         local r = channel.select { sub:channel():case_receive(), default = true }
         if r.default then return n .. ' ' .. last end
         n = n + 1; last = r.value.path
       end`,
    ),
  ]);
  const done = one.call('app:main');
  await poll('it listens', () => one.notes.length > 0);
  const bus = one.env.use(EVENTS);
  for (let i = 1; i <= 10_070; i += 1) bus.send({ system: 's', kind: 'k', path: String(i) });
  bus.send({ system: 'go', kind: 'k', path: '/' });
  t.equal(await done, '10064 10064');
  t.same(one.rows('eventbus_events_total'), ['reason=none,result=delivered 10065', 'reason=slow,result=dropped 6']);
});

const CALLER = contextKey('caller', 'nobody');
/** A policy that allows some pairs of action and resource, and notes what it was asked. */
const policy = (allowed: readonly string[]) => {
  const asked: string[] = [];
  const security: Security = {
    allows(context: CallContext, action, resource) {
      asked.push(`${context.get(CALLER)} ${action} ${resource}`);
      return allowed.includes(`${action} ${resource}`);
    },
    isActor: (value): value is never => value === undefined,
    isScope: (value): value is never => value === undefined,
    serviceContext: () => rootContext,
  };
  return { security, asked };
};
const BOTH = `local sub, err = events.subscribe('in.*')
  local sent, failed = events.send('out', 'k', '/')
  local function text(v, e) return e and (e:kind() .. ' ' .. tostring(e:retryable()) .. ' ' .. e:message()) or tostring(v) end
  return text(sub, err) .. '; ' .. text(sent, failed)`;

test('policy decides on subscribe and send, with the system as the resource; a denial is Invalid', async (t) => {
  const open = await bench(t, BOTH);
  t.equal(await open.call('app:main'), 'events.Subscription{}; true', 'without a security port all is allowed');

  const denied = policy([]);
  const one = await bench(t, BOTH);
  one.env.provide(SECURITY, denied.security);
  t.equal(
    await one.call('app:main', [], rootContext.with(CALLER, 'me')),
    'Invalid false not allowed to subscribe to events of system: in.*; Invalid false not allowed to send events of system: out',
  );
  t.same(denied.asked, ['me events.subscribe in.*', 'me events.send out']);
  t.same(rowsOf(one), [[' 0'], [], []]);

  const allowed = policy(['events.subscribe in.*', 'events.send out']);
  const other = await bench(t, BOTH);
  other.env.provide(SECURITY, allowed.security);
  t.equal(await other.call('app:main'), 'events.Subscription{}; true');
});

test('a call without a process identity cannot subscribe, but can send', async (t) => {
  const { engine } = await bench(t, '');
  const source = `return function() ${BOTH} end`;
  const chunk = { id: 'app:x', source, path: 'x.lua', modules: ['events'], imports: {} };
  const call = (pid: string) =>
    engine
      .load(chunk)
      .instantiate(rootContext)
      .call({
        args: [],
        context: rootContext,
        pid,
        entryId: 'app:x',
        limits: { instructions: 0, cpuMs: 0, resultBytes: 0 },
      });
  t.equal((await call('')).value, 'Internal false no process identity; true');
  t.equal((await call('{x|1}')).value, 'events.Subscription{}; true');
});

test('components publish on the same bus, and hear what Lua sends', async (t) => {
  const one = await bench(
    t,
    `local sub = assert(events.subscribe('registry', 'entry.*'))
     events.send('app', 'ready', '/', { list = { 1, 2 }, f = print })
     local e = sub:channel():receive()
     local f = sub:channel():receive()
     return e.system .. ' ' .. e.kind .. ' ' .. e.path .. ' ' .. e.data.id .. ' ' .. tostring(e.data.at)
       .. ' ' .. tostring(e.data.f) .. ' ' .. #e.data.tags .. ' ' .. tostring(f.data)`,
  );
  const bus = one.env.use(EVENTS);
  const heard: BusEvent[] = [];
  const end = bus.subscribe('app', '', (event) => {
    heard.push(event);
    const data = { id: 'app:x', at: new Date(2000), f: () => {}, tags: ['a', 'b'] };
    bus.send({ system: 'registry', kind: 'entry.create', path: 'app:x', data });
    bus.send({ system: 'registry', kind: 'entry.delete', path: 'app:x', data: () => {} });
    bus.send({ system: 'registry', kind: 'version', path: '/' });
  });
  t.equal(await one.call('app:main'), 'registry entry.create app:x app:x 2 nil 2 nil');
  t.same(heard, [{ system: 'app', kind: 'ready', path: '/', data: { list: [1, 2], f: 'function' } }]);
  end();
  t.same(one.rows('eventbus_events_total'), ['reason=none,result=delivered 3']);
});

test("what is sent counts against the sender's result_bytes", async (t) => {
  const limits = { result_bytes: 1000 };
  const one = await surfaceBench(t, [lua('app:main', `return events.send('s', 'k', '/', (...))`, { limits })]);
  t.equal(await one.call('app:main', ['x'.repeat(500)]), true);
  await t.rejects(one.call('app:main', ['x'.repeat(2000)]), { message: /limit exceeded: result_bytes/ });
});
