import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { SETTLEMENTS } from '../../../services/queue/instruments.ts';
import { QUEUES } from '../../../services/queue/port.ts';
import { poll } from '../../harness/poll.ts';
import { decode, type EntryText, lua, surfaceBench } from '../surface-bench.ts';

const DRIVER = { id: 'app:driver', kind: 'queue.driver.memory' };
const QUEUE = { id: 'app:jobs', kind: 'queue.queue', driver: 'app:driver' };
const DEAD = { id: 'app:dead', kind: 'queue.queue', driver: 'app:driver' };
const CONSUMER = { id: 'app:consumer', kind: 'queue.consumer', queue: 'app:jobs', func: 'app:work' };
const publisher = lua('app:publish', `return assert(queue.publish('app:jobs', ...))`);
/** A bench with a driver, a queue and a consumer whose handler is `body`. */
const jobs = (
  t: Parameters<typeof surfaceBench>[0],
  body: string,
  more: { queue?: object; consumer?: object; extra?: EntryText[] } = {},
  options = {},
) =>
  surfaceBench(
    t,
    [
      DRIVER,
      { ...QUEUE, ...more.queue },
      DEAD,
      { ...CONSUMER, ...more.consumer },
      lua('app:work', body),
      publisher,
      ...(more.extra ?? []),
    ],
    options,
  );
type Bench = Awaited<ReturnType<typeof surfaceBench>>;
const settled = (bench: Bench, count: number) =>
  poll('messages settled', () => bench.lines.filter(({ message }) => message === 'message processed').length >= count);

test('rule 60: publish gives a Producer span, the delivery a Consumer span in the same trace, with messaging attributes', async (t) => {
  const bench = await jobs(t, `local body = ...; host.note(body.n)`);
  await bench.call('app:publish', [{ n: 7 }]);
  await settled(bench, 1);
  t.same(bench.notes, [7]);
  const publish = bench.recorder.span({ name: 'app:jobs.publish' });
  const delivery = bench.recorder.span({ name: 'app:work' });
  const id = publish.attributes['messaging.message.id'];
  t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  t.equal(publish.kind, 'producer');
  t.equal(publish.parentSpanId, bench.recorder.span({ name: 'app:publish' }).spanId);
  t.same(publish.attributes, {
    'messaging.system': 'perilune',
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'app:jobs',
    'messaging.message.id': id,
  });
  t.equal(delivery.kind, 'consumer');
  t.equal(delivery.traceId, publish.traceId);
  t.equal(delivery.parentSpanId, publish.spanId);
  t.match(delivery.attributes, {
    'faas.name': 'app:work',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': 'app:jobs',
    'messaging.message.id': id,
  });
  t.equal(bench.recorder.spans().length, 3, 'one span for the delivery, not two');
});

test('rule 61: a delivery without traceparent is a Consumer root', async (t) => {
  const bench = await jobs(t, '', {}, { spans: { queue: false } });
  await bench.env.use(QUEUES).publish('app:jobs', 'x', {}, rootContext);
  await settled(bench, 1);
  t.match(bench.recorder.span({ name: 'app:work' }), { kind: 'consumer', parentSpanId: '' });
});

test('rule 62: a malformed or foreign trace field never rejects the message', async (t) => {
  const bench = await jobs(t, `host.note(queue.message():header('traceparent'))`, {}, { spans: { queue: false } });
  for (const traceparent of ['garbage', '', '00-0-0-0', 'ff-'.padEnd(500, 'f')]) {
    await bench.env.use(QUEUES).publish('app:jobs', 'x', { traceparent }, rootContext);
  }
  await settled(bench, 4);
  t.same(bench.rows('queue_messages_total'), ['queue=app:jobs,result=ack 4']);
  t.ok(bench.recorder.spans({ name: 'app:work' }).every(({ parentSpanId }) => parentSpanId === ''));
  const good = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await bench.env.use(QUEUES).publish('app:jobs', 'x', { traceparent: good }, rootContext);
  await settled(bench, 5);
  t.equal(bench.recorder.spans({ name: 'app:work' }).at(-1)?.parentSpanId, 'b'.repeat(16), 'a good one is followed');
});

test('rule 63: the W3C context travels beside the headers, which do not list it', async (t) => {
  const bench = await jobs(
    t,
    `local names = {}; for k in pairs(queue.message():headers()) do names[#names + 1] = k end; table.sort(names); host.note(table.concat(names, ' '))`,
  );
  const context = rootContext.with(TRACE, {
    traceId: 'c'.repeat(32),
    spanId: 'd'.repeat(16),
    flags: 1,
    isRemote: true,
  });
  await bench.call('app:publish', ['x', { a: 1, 'amqp.b': 'y' }], context);
  await settled(bench, 1);
  t.same(bench.notes, ['a amqp.b timestamp']);
  t.equal(bench.recorder.span({ name: 'app:work' }).traceId, 'c'.repeat(32));
});

test('rule 51: with otel.queue.enabled off there is no publish span, and the context passes through', async (t) => {
  const bench = await jobs(t, '', {}, { spans: { queue: false } });
  await bench.call('app:publish', ['x']);
  await settled(bench, 1);
  t.same(
    bench.recorder
      .spans()
      .map(({ name }) => name)
      .sort(),
    ['app:publish', 'app:work'],
  );
  t.equal(bench.recorder.span({ name: 'app:work' }).parentSpanId, bench.recorder.span({ name: 'app:publish' }).spanId);
});

test('rule 65: ack and nack are counted, in-flight is 0 after the drain, depth is the true backlog', async (t) => {
  const bench = await jobs(t, `local n = ...; if queue.message():attempt() == 1 and n == 2 then error('first') end`);
  t.same(bench.rows('queue_depth'), ['queue=app:dead 0', 'queue=app:jobs 0'], 'gauges exist from the declaration on');
  t.same(bench.rows('queue_capacity'), ['queue=app:dead 1000', 'queue=app:jobs 1000']);
  t.same(bench.rows('queue_oldest_age_seconds'), ['queue=app:dead 0', 'queue=app:jobs 0']);
  for (const n of [1, 2, 3]) await bench.call('app:publish', [n]);
  await settled(bench, 4);
  const signal = new AbortController().signal;
  await bench.component('app:consumer').drain?.(signal);
  t.same(bench.rows('queue_messages_total'), ['queue=app:jobs,result=ack 3', 'queue=app:jobs,result=nack 1']);
  t.same(bench.rows('queue_process_duration_seconds'), ['queue=app:jobs,result=ack 3', 'queue=app:jobs,result=nack 1']);
  t.same(bench.rows('queue_redelivered_total'), ['queue=app:jobs 1']);
  t.same(bench.rows('queue_wait_seconds'), ['queue=app:jobs 3']);
  t.same(bench.rows('queue_published_total'), ['queue=app:jobs,result=ok 3']);
  t.same(bench.rows('queue_in_flight'), ['queue=app:jobs 0']);
  for (const n of [1, 2]) await bench.call('app:publish', [n]);
  t.same(bench.rows('queue_depth'), ['queue=app:dead 0', 'queue=app:jobs 2'], 'nobody consumes any more');
  const results = bench.rows('queue_messages_total').map((row) => /result=(\w+)/.exec(row)?.[1]);
  t.ok(
    results.every((one) => SETTLEMENTS.some((known) => known === one)),
    'rule 21: a closed set',
  );
  const levels = bench.lines.map(({ level, fields }) => `${level} ${fields.queue} ${fields.attempt}`).sort();
  t.same(levels, ['info app:jobs 1', 'info app:jobs 1', 'info app:jobs 2', 'warn app:jobs 1']);
  const again = bench.recorder
    .spans({ name: 'app:work' })
    .map(({ attributes }) => attributes['messaging.message.delivery_attempt']);
  t.same(again.sort(), [2, undefined, undefined, undefined]);
});

test('handlers of one consumer overlap up to concurrency', async (t) => {
  const bench = await jobs(t, `host.note('in'); host.sleep(30); host.note('out')`, { consumer: { concurrency: 3 } });
  for (let i = 0; i < 4; i += 1) await bench.call('app:publish', [i]);
  await settled(bench, 4);
  t.same(bench.notes.slice(0, 3), ['in', 'in', 'in']);
  t.equal(bench.notes[3], 'out');
});

test('after max_attempts the message moves to the dead letter queue, and counts as dead only', async (t) => {
  const bench = await jobs(t, `error(string.rep('ä', 600))`, {
    queue: { dead_letter: { queue: 'app:dead', max_attempts: 2 } },
    consumer: {},
    extra: [
      { id: 'app:undertaker', kind: 'queue.consumer', queue: 'app:dead', func: 'app:bury' },
      lua(
        'app:bury',
        `local h = queue.message():headers()
        host.note(h.x_dead_letter_queue .. ' ' .. h.x_dead_letter_kind .. ' ' .. h.x_dead_letter_attempts .. ' ' .. tostring(h.x_attempt) .. ' ' .. h.mine)
        host.note(#h.x_dead_letter_reason)`,
      ),
    ],
  });
  await bench.call('app:publish', ['x', { mine: 'kept', x_attempt: 9 }]);
  await settled(bench, 3);
  t.equal(bench.notes[0], 'app:jobs Internal 2 nil kept');
  t.ok(Number(bench.notes[1]) <= 1024 && Number(bench.notes[1]) >= 1022, 'at most 1 KiB, cut between characters');
  t.same(bench.rows('queue_messages_total'), [
    'queue=app:dead,result=ack 1',
    'queue=app:jobs,result=dead 1',
    'queue=app:jobs,result=nack 1',
  ]);
  t.same(bench.lines.map(({ level, fields }) => `${level} ${fields.queue}`).sort(), [
    'error app:jobs',
    'info app:dead',
    'warn app:jobs',
  ]);
  t.equal(new Set(bench.recorder.spans().map(({ traceId }) => traceId)).size, 1, 'the dead letter keeps its trace');
});

test('settling: by hand once, visible to called functions, over when the handler ended', async (t) => {
  const bench = await jobs(
    t,
    `local m = queue.message(); kept = m
     host.note(tostring(m) == 'queue.Message{id=' .. m:id() .. '}')
     host.note(funcs.call('app:acker'))
     local _, e = m:nack(); host.note(e:kind() .. ' ' .. e:message())
     host.note(m:header('n')); host.note(m:header('none'))
     error('after the ack')`,
    {
      extra: [
        lua('app:acker', `return queue.message():ack()`),
        lua('app:alone', `local _, e = queue.message(); return e:message()`),
      ],
    },
  );
  await bench.call('app:publish', ['x', { n: 1.5, dropped: [1] }]);
  await settled(bench, 1);
  t.same(bench.notes, [true, true, 'Invalid queue.Message already settled', 1.5, undefined]);
  t.same(bench.rows('queue_messages_total'), ['queue=app:jobs,result=ack 1']);
  t.equal(await bench.call('app:alone'), 'no delivery found in context');
});

test('a message kept beyond its handler is released', async (t) => {
  const bench = await jobs(
    t,
    `if kept then local _, e = kept:id(); host.note(tostring(kept) .. ' ' .. e:message()) end; kept = queue.message()`,
  );
  await bench.call('app:publish', [1]);
  await settled(bench, 1);
  await bench.call('app:publish', [2]);
  await settled(bench, 2);
  t.same(bench.notes, ['queue.Message{released} queue.Message released']);
});

test('nack by hand with a delay comes again after it, though the handler succeeded', async (t) => {
  const bench = await jobs(
    t,
    `local m = queue.message(); host.note(m:attempt() .. tostring(m:header('x_attempt'))); if m:attempt() == 1 then m:nack{delay = '50ms'} end`,
  );
  const start = performance.now();
  await bench.call('app:publish', [1]);
  await settled(bench, 2);
  t.ok(performance.now() - start >= 49);
  t.same(bench.notes, ['1nil', '22']);
});

test('a handler that is missing, or fails by its second result, nacks', async (t) => {
  const bench = await jobs(t, `if queue.message():attempt() == 1 then return nil, 'no' end; return false`);
  await bench.call('app:publish', [1]);
  await settled(bench, 2);
  t.same(
    bench.lines.map(({ level, fields }) => `${level} ${fields.error}`),
    ['warn no', 'info undefined'],
  );
});

test('drain cancels what outlasts its deadline, and the message returns to the queue', async (t) => {
  const bench = await jobs(t, `host.note('begun'); host.sleep(600000)`, {
    queue: { dead_letter: { queue: 'app:dead', max_attempts: 1 } },
  });
  await bench.call('app:publish', ['x']);
  await poll('begun', () => bench.notes.length === 1);
  const deadline = new AbortController();
  const drained = bench.component('app:consumer').drain?.(deadline.signal);
  await bench.call('app:publish', ['y']);
  t.same(bench.notes, ['begun'], 'no more intake');
  deadline.abort();
  await drained;
  t.same(bench.rows('queue_depth'), ['queue=app:dead 0', 'queue=app:jobs 2']);
  t.same(bench.rows('function_in_flight'), ['function_id=app:publish 0', 'function_id=app:work 0']);
  t.same(bench.rows('queue_in_flight'), ['queue=app:jobs 0']);
});

test('a handler that always fails at once leaves room for timers', async (t) => {
  const bench = await jobs(t, `error('always')`);
  await bench.call('app:publish', ['x']);
  let fired = false;
  bench.env.clock.after(1, () => {
    fired = true;
  });
  await poll('the timer', () => fired);
  t.ok(bench.rows('queue_redelivered_total')[0]);
});

test('publish: checks in the order of lua/queue.md, section 1', async (t) => {
  const cases: [string, string][] = [
    [`queue.publish()`, 'Invalid queue ID required'],
    [`queue.publish('')`, 'Invalid queue ID required'],
    [`queue.publish('any:thing')`, 'Invalid message data required'],
    [`queue.publish('any:thing', {})`, 'Invalid message data cannot be empty'],
    [`queue.publish('unknown:queue', 'x')`, 'Internal queue not found: unknown:queue'],
    [`queue.publish('app:jobs', {1, x = 2})`, 'Internal cannot encode mixed-key table'],
    [`queue.publish('app:jobs', 1, nil, {delay = 'soon'})`, 'Invalid delay must be a duration such as "5s"'],
    [`queue.publish('app:jobs', 1, nil, {delay = math.huge})`, 'Invalid delay must be a duration such as "5s"'],
    [`queue.publish('app:jobs', 1, nil, {deliver_at = 'noon'})`, 'Invalid deliver_at must be Unix seconds'],
    [`queue.publish('app:jobs', 1, nil, {deliver_at = 0/0})`, 'Invalid deliver_at must be Unix seconds'],
    [`queue.publish('app:jobs', 1, nil, {idempotency_key = 5})`, 'Invalid idempotency_key must be a string'],
    [`queue.publish('app:jobs', 1, nil, {idempotency_key = ''})`, 'Invalid idempotency_key must not be empty'],
    [`queue.info('')`, 'Invalid queue ID required'],
    [`queue.info('unknown:queue')`, 'Internal queue not found: unknown:queue'],
  ];
  const body = cases
    .map(([call]) => `do local v, e = ${call}; host.note(tostring(v) .. ' ' .. e:kind() .. ' ' .. e:message()) end`)
    .join('\n');
  const bench = await surfaceBench(t, [DRIVER, QUEUE, lua('app:f', `${body}; host.note(pcall(queue.publish, {}, 1))`)]);
  await bench.call('app:f');
  for (const [i, [call, expected]] of cases.entries()) t.match(bench.notes[i], `nil ${expected}`, call);
  t.equal(bench.notes.at(-1), false, 'an id of another type raises');
  t.same(
    bench.rows('queue_published_total'),
    ['queue=app:jobs,result=error 1'],
    'rule 12: the encode failure is counted',
  );
});

test('publish with delay, deliver_at and idempotency_key; info counts what waits', async (t) => {
  const bench = await surfaceBench(t, [
    DRIVER,
    QUEUE,
    lua(
      'app:f',
      `queue.publish('app:jobs', 1, nil, {delay = '1h'}); queue.publish('app:jobs', 1, nil, {deliver_at = 1})
      queue.publish('app:jobs', 1, {}, {idempotency_key = 'k'}); queue.publish('app:jobs', 1, {}, {idempotency_key = 'k'})
      local i = queue.info('app:jobs'); return i.message_count .. ' ' .. i.ready`,
    ),
  ]);
  t.equal(await bench.call('app:f'), '3 2');
});

test('codec application/msgpack keeps what JSON has no form for; a dead letter has the form of its queue', async (t) => {
  const bench = await jobs(
    t,
    `local body = ...
     if body.bytes then
       host.note(body.bytes == '\\255\\0' and body.inf == math.huge and math.type(body.n) == 'integer' and #body.list == 3)
       error('dead')
     end`,
    {
      queue: { codec: 'application/msgpack', dead_letter: { queue: 'app:dead', max_attempts: 1 } },
      consumer: {},
      extra: [
        { ...CONSUMER, id: 'app:undertaker', queue: 'app:dead', func: 'app:bury' },
        lua('app:bury', `local body = ... host.note(body.n .. ' ' .. #body.list .. ' ' .. tostring(body.inf))`),
        lua(
          'app:send',
          `assert(queue.publish('app:jobs', { bytes = '\\255\\0', inf = math.huge, n = 12345, list = { 1, 'b', {} } }))`,
        ),
      ],
    },
  );
  await bench.call('app:send');
  await settled(bench, 2);
  t.same(bench.notes, [true, '12345 3 nil']);
});

test('declarations.md, section 6: defaults and messages', (t) => {
  t.match(decode(CONSUMER).config, { concurrency: 1, prefetch: 10, auto_ack: false });
  t.match(decode({ ...CONSUMER, concurrency: 0, prefetch: -1 }).config, { concurrency: 1, prefetch: 10 });
  t.same(decode({ ...CONSUMER, concurrency: 1001 }).messages, ['concurrency 1001 exceeds maximum 1000']);
  t.same(decode({ ...CONSUMER, prefetch: 10_001 }).messages, ['prefetch 10001 exceeds maximum 10000']);
  t.same(decode({ ...CONSUMER, queue: undefined }).messages, ['queue ID is required']);
  t.same(decode({ ...CONSUMER, func: '' }).messages, ['function ID is required']);
  t.same(decode({ ...QUEUE, driver: undefined }).messages, ['driver ID is required']);
  t.match(decode(QUEUE).config, { codec: 'json/plain' });
  t.match(decode({ ...QUEUE, codec: 'application/msgpack' }).config, { codec: 'application/msgpack' });
  t.match(decode({ ...QUEUE, codec: 'x' }).messages, ['unknown codec: x. Use one of json/plain, application/msgpack.']);
  t.match(decode({ ...QUEUE, dead_letter: { queue: 'app:dead' } }).config, { dead_letter: { max_attempts: 5 } });
  t.end();
});
