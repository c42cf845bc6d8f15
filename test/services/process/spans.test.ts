import { test } from 'tap';
import { poll } from '../../harness/poll.ts';
import { lua } from '../surface-bench.ts';
import { actor, IDLE, processBench } from './process-bench.ts';

const CALLED = lua('app:called', 'return 1');
/** Waits for a message, then calls a function, as often as it is told to. */
const READER = actor(
  'app:reader',
  `local inbox = process.inbox()
   while true do
     local m = inbox:receive()
     if m:topic() == "end" then return end
     if m:topic() ~= "silent" then require("funcs").new():call("app:called") end
   end`,
  { modules: ['funcs'] },
);
const SPAWNER = lua('app:spawner', 'return assert(process.spawn(..., "app:host"))', { modules: [] });

const linksOf = (span: { links: readonly { spanId: string }[] }): string[] => span.links.map(({ spanId }) => spanId);

test('rules 54, 77: a life is a child .started of the spawner, a long root that links to it, and .terminated', async (t) => {
  const bench = await processBench(t, [SPAWNER, actor('app:quick', 'return 7')]);
  const pid = await bench.call('app:spawner', ['app:quick']);
  await bench.ended(1);
  const { recorder } = bench;
  const spawner = recorder.span({ name: 'app:spawner' });
  const started = recorder.span({ name: 'app:quick.started' });
  const long = recorder.span({ name: 'app:quick' });
  const terminated = recorder.span({ name: 'app:quick.terminated' });

  t.equal(started.parentSpanId, spawner.spanId);
  t.equal(started.traceId, spawner.traceId);
  t.same(started.attributes, { 'lua.process.id': pid, 'lifecycle.event': 'started' });

  t.equal(long.parentSpanId, '', 'a root of its own');
  t.not(long.traceId, spawner.traceId);
  t.match(long.links, [{ traceId: spawner.traceId, spanId: spawner.spanId }]);
  t.equal(long.links.length, 1);
  t.same(long.attributes, { 'lua.process.id': pid, 'termination.reason': 'completed' });

  t.equal(terminated.parentSpanId, long.spanId);
  t.same(terminated.attributes, {
    'lua.process.id': pid,
    'lifecycle.event': 'terminated',
    'termination.reason': 'completed',
  });
  for (const span of [started, long, terminated]) t.match(span, { kind: 'internal', status: 'unset', events: [] });
  t.ok(long.startMs <= terminated.startMs && terminated.endMs <= long.endMs, 'the long one is around the end');
  t.same(
    recorder.spans().filter(({ name }) => name.includes('{') || name.includes('0x')),
    [],
    'nothing is named by a pid',
  );
});

test('rules 54, 68: a spawn without a trace is a root; what the process does is in the trace of its life', async (t) => {
  const bench = await processBench(t, [actor('app:quick', 'return 7')]);
  bench.spawn('app:quick');
  await bench.ended(1);
  const started = bench.recorder.span({ name: 'app:quick.started', parent: null });
  const long = bench.recorder.span({ name: 'app:quick', parent: null });
  t.same(long.links, [], 'there is nobody to link to');
  t.not(started.traceId, long.traceId);

  const other = await processBench(t, [
    CALLED,
    actor('app:caller', 'require("funcs").new():call("app:called")', { modules: ['funcs'] }),
  ]);
  other.spawn('app:caller');
  await other.ended(1);
  const life = other.recorder.span({ name: 'app:caller' });
  t.match(other.recorder.span({ name: 'app:called' }), { traceId: life.traceId, parentSpanId: life.spanId });
});

test('rule 77: a failed life is an Error with its kind, one exception and its Lua position', async (t) => {
  const bench = await processBench(t, [actor('app:bad', 'error("boom")'), actor('app:refuses', 'return nil, "no"')]);
  bench.spawn('app:bad');
  bench.spawn('app:refuses');
  await bench.ended(2);
  const long = bench.recorder.span({ name: 'app:bad' });
  t.match(long, { status: 'error', attributes: { 'error.type': 'Internal' } });
  t.equal(long.events.length, 1);
  t.match(long.events[0], { name: 'exception', attributes: { 'exception.message': /boom/, 'code.line.number': 1 } });
  t.notOk('termination.reason' in long.attributes);
  const terminated = bench.recorder.span({ name: 'app:bad.terminated' });
  t.match(terminated, { status: 'unset', attributes: { 'termination.reason': /boom/ } });
  t.match(bench.recorder.span({ name: 'app:refuses' }), { status: 'error', statusMessage: 'no' });
});

test('rule 64: a message links the spans after its receive, until the next, and never the long span', async (t) => {
  const send = (id: string) => lua(id, 'local pid, topic = ...; assert(process.send(pid, topic, 1))', { modules: [] });
  const bench = await processBench(t, [CALLED, READER, send('app:first'), send('app:second'), send('app:third')]);
  const pid = bench.spawn('app:reader');
  const calls = (count: number): Promise<true> =>
    poll(`${count} calls`, () => bench.recorder.spans({ name: 'app:called' }).length === count);
  await bench.call('app:first', [pid, 'go']);
  await calls(1);
  await bench.call('app:second', [pid, 'go']);
  await calls(2);
  await bench.call('app:third', [pid, 'silent']);
  await bench.call('app:third', [pid, 'end']);
  await bench.ended(1);

  const { recorder } = bench;
  const [one, two] = recorder.spans({ name: 'app:called' });
  const long = recorder.span({ name: 'app:reader' });
  t.same(linksOf(one as typeof long), [recorder.span({ name: 'app:first' }).spanId]);
  t.same(linksOf(two as typeof long), [recorder.span({ name: 'app:second' }).spanId], 'the second alone');
  for (const span of [one, two]) t.match(span, { traceId: long.traceId, parentSpanId: long.spanId });
  t.same(long.links, []);
});

test('rule 64: what with_message queues carries the trace of who spawns, also to a process that holds the name', async (t) => {
  const bench = await processBench(t, [
    CALLED,
    READER,
    lua('app:send', 'local pid, topic = ...; assert(process.send(pid, topic, 1))', { modules: [] }),
    actor(
      'app:feeder',
      'assert(process.with_context({}):with_name("reader"):with_message("go"):spawn("app:reader", "app:host"))',
    ),
  ]);
  bench.spawn('app:feeder'); // makes the reader; its message has no sender, but a trace
  await poll('the first call', () => bench.recorder.spans({ name: 'app:called' }).length === 1);
  await bench.call('app:send', ['reader', 'go']);
  await poll('the second call', () => bench.recorder.spans({ name: 'app:called' }).length === 2);
  bench.spawn('app:feeder'); // the name is held: its message goes to the reader
  await poll('the third call', () => bench.recorder.spans({ name: 'app:called' }).length === 3);
  const linked = bench.recorder.spans({ name: 'app:called' }).map((span) => linksOf(span)[0]);
  const [one, two] = bench.recorder.spans({ name: 'app:feeder' }).map(({ spanId }) => spanId);
  t.same(linked, [one, bench.recorder.span({ name: 'app:send' }).spanId, two]);
  await bench.call('app:send', ['reader', 'end']);
  await bench.ended(3);
});

test("rules 64, 71: a cancel has a span of its own in the canceller's trace, and the long span links to it", async (t) => {
  const bench = await processBench(t, [
    lua('app:canceller', 'assert(process.cancel((...), "enough"))', { modules: [] }),
    actor('app:idle', IDLE),
  ]);
  const pid = bench.spawn('app:idle');
  await bench.call('app:canceller', [pid]);
  await bench.ended(1);
  const canceller = bench.recorder.span({ name: 'app:canceller' });
  const cancel = bench.recorder.span({ name: 'app:idle.cancel' });
  t.match(cancel, { kind: 'internal', status: 'unset', traceId: canceller.traceId, parentSpanId: canceller.spanId });
  t.same(cancel.attributes, { 'lua.process.id': pid, 'termination.reason': 'enough' });
  const long = bench.recorder.span({ name: 'app:idle' });
  t.match(long, { status: 'unset', links: [{ traceId: cancel.traceId, spanId: cancel.spanId }] });
  t.equal(long.links.length, 1);
});

test('rule 82: otel.process.enabled and otel.process.trace_lifecycle switch their spans, and nothing else', async (t) => {
  const names = async (spans: { process: boolean; processLifecycle: boolean }): Promise<string[]> => {
    const bench = await processBench(t, [SPAWNER, actor('app:idle', IDLE)], { spans });
    const pid = await bench.call('app:spawner', ['app:idle']);
    bench.processes.cancel(String(pid), 'over');
    await bench.ended(1);
    t.same(bench.rows('process_terminated_total'), ['result=completed 1'], 'metrics do not depend on it');
    return bench.recorder
      .spans()
      .map(({ name }) => name)
      .sort();
  };
  t.same(await names({ process: true, processLifecycle: true }), [
    'app:idle',
    'app:idle.cancel',
    'app:idle.started',
    'app:idle.terminated',
    'app:spawner',
  ]);
  t.same(await names({ process: true, processLifecycle: false }), ['app:idle', 'app:idle.cancel', 'app:spawner']);
  t.same(await names({ process: false, processLifecycle: false }), ['app:spawner']);
});

test('rule 64: what the spawner has received links none of its child, also where lives have no spans', async (t) => {
  const bench = await processBench(
    t,
    [
      CALLED,
      actor('app:child', 'require("funcs").new():call("app:called")', { modules: ['funcs'] }),
      lua(
        'app:spawns',
        'process.send(process.pid(), "go"); process.inbox():receive(); require("funcs").new():call("app:called"); assert(process.spawn("app:child", "app:host"))',
        { modules: ['funcs'] },
      ),
    ],
    { spans: { process: false, processLifecycle: false } },
  );
  await bench.call('app:spawns');
  await bench.ended(1);
  const spawner = bench.recorder.span({ name: 'app:spawns' });
  t.same(
    bench.recorder.spans({ name: 'app:called' }).map((span) => [span.parentSpanId, linksOf(span)]),
    [
      [spawner.spanId, [spawner.spanId]],
      [spawner.spanId, []],
    ],
    'the spawner itself has the link',
  );
});
