import { t as root, type Test, test } from 'tap';
import { poll } from '../../harness/poll.ts';
import { startRedis } from '../../harness/redis.ts';
import { decode, lua, surfaceBench } from '../surface-bench.ts';

const server = await startRedis(root);
let apps = 0;

/** A bench with queues `app:jobs`, `app:dead` on Redis, and a consumer whose handler is `body` where it is given. */
const jobs = async (t: Test, body: string | undefined, queue: object = {}, consumer: object = {}) => {
  apps += 1;
  const prefix = `${server.prefix}${apps}:`;
  const bench = await surfaceBench(t, [
    { id: 'app:driver', kind: 'queue.driver.redis', url: server.url, prefix },
    { id: 'app:jobs', kind: 'queue.queue', driver: 'app:driver', ...queue },
    { id: 'app:dead', kind: 'queue.queue', driver: 'app:driver', queue_name: 'the-dead' },
    lua('app:publish', `return assert(queue.publish('app:jobs', ...))`),
    ...(body === undefined
      ? []
      : [
          { id: 'app:consumer', kind: 'queue.consumer', queue: 'app:jobs', func: 'app:work', ...consumer },
          lua('app:work', body),
        ]),
  ]);
  const settled = (count: number) =>
    poll(
      `${count} messages settled`,
      () => bench.lines.filter(({ message }) => message === 'message processed').length >= count,
    );
  return { ...bench, stream: `${prefix}jobs`, dead: `${prefix}the-dead`, settled };
};
const fieldsOf = ([, fields]: [string, string[]]): Record<string, string> =>
  Object.fromEntries(fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] ?? '']] : [])));
const DEAD = { dead_letter: { queue: 'app:dead', max_attempts: 2 } };

test('a message in the stream has the fields of extensions.md, section 3', async (t) => {
  const bench = await jobs(t, undefined);
  await bench.call('app:publish', [{ n: 1 }, { mine: 'ä', n: 2 }]);
  const [entry] = await server.client.xrange(bench.stream, '-', '+');
  const { id, body, codec, headers, published_at, ...rest } = fieldsOf(entry as [string, string[]]);
  t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  t.equal(body, '{"n":1}');
  t.equal(codec, 'json/plain');
  t.match(published_at, /^\d{13}$/);
  t.same(JSON.parse(headers ?? ''), { mine: 'ä', n: 2, timestamp: Math.floor(Number(published_at) / 1000) });
  t.same(Object.keys(rest), ['traceparent'], 'the context travels beside the headers');
});

test('rule 60: one trace from publish to delivery; messaging.system is redis', async (t) => {
  const bench = await jobs(
    t,
    `local names = {}; for k in pairs(queue.message():headers()) do names[#names + 1] = k end; table.sort(names); host.note(table.concat(names, ' '))`,
  );
  await bench.call('app:publish', [1, { a: 1 }]);
  await bench.settled(1);
  const publish = bench.recorder.span({ name: 'app:jobs.publish' });
  const delivery = bench.recorder.span({ name: 'app:work' });
  t.equal(publish.attributes['messaging.system'], 'redis');
  t.equal(delivery.parentSpanId, publish.spanId);
  t.equal(delivery.kind, 'consumer');
  t.same(bench.notes, ['a timestamp']);
});

test('an entry of another program may leave out all but its body', async (t) => {
  const bench = await jobs(
    t,
    `local body = ...; local m = queue.message(); host.note(body.n); host.note(m:id()); host.note(m:attempt()); host.note(type(m:header('timestamp'))); host.note(m:header('k'))`,
  );
  const id = await server.client.xadd(bench.stream, '*', 'body', '{"n":7}');
  await bench.settled(1);
  t.same(bench.notes, [7, id, 1, 'number', undefined]);
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await server.client.xadd(
    bench.stream,
    '*',
    'body',
    '{"n":8}',
    'headers',
    JSON.stringify({ k: 'v', traceparent, list: [1] }),
  );
  await bench.settled(2);
  t.same(bench.notes.slice(-1), ['v']);
  t.equal(bench.recorder.spans({ name: 'app:work' }).at(-1)?.traceId, 'a'.repeat(32));
  t.same(bench.rows('queue_messages_total'), ['queue=app:jobs,result=ack 2']);
});

test('an entry that cannot be read goes to the dead letters with its reason, once', async (t) => {
  const bench = await jobs(t, `host.note(...)`, DEAD);
  const bad: string[][] = [
    ['text', 'x'],
    ['body', '{'],
    ['body', '1', 'headers', '[]'],
    ['body', '1', 'codec', 'application/msgpack'],
  ];
  for (const fields of bad) await server.client.xadd(bench.stream, '*', ...fields);
  await bench.settled(bad.length);
  await bench.call('app:publish', ['good']);
  await bench.settled(bad.length + 1);
  t.same(bench.notes, ['good'], 'the handler sees only what can be read');
  const letters = (await server.client.xrange(bench.dead, '-', '+')).map(fieldsOf);
  const reasons = letters.map(({ headers }) => JSON.parse(headers ?? '{}').x_dead_letter_reason as string);
  t.match(reasons, [
    /no field `body`/,
    /JSON|json|line/i,
    /`headers` is not one JSON object/,
    /`codec` is "application\/msgpack"/,
  ]);
  t.equal(letters[0]?.body, '{"text":"x"}', 'what it holds is not lost');
  t.same(bench.rows('queue_messages_total'), ['queue=app:jobs,result=ack 1', 'queue=app:jobs,result=dead 4']);
  await poll('the stream is empty', async () => (await server.client.xlen(bench.stream)) === 0);
});

test('a message that no attempt has settled is not handled once more', async (t) => {
  const bench = await jobs(t, `host.note(...)`, DEAD);
  await server.client.xadd(bench.stream, '*', 'body', '"last"', 'attempt', '2');
  await server.client.xadd(bench.stream, '*', 'body', '"beyond"', 'attempt', '3');
  await bench.settled(2);
  t.same(bench.notes, ['last']);
  const [letter] = await server.client.xrange(bench.dead, '-', '+');
  t.match(JSON.parse(fieldsOf(letter as [string, string[]]).headers ?? ''), {
    x_dead_letter_reason: 'not settled by any of 2 attempts',
    x_dead_letter_attempts: 3,
  });
});

test('without a dead letter queue it is acknowledged and counted', async (t) => {
  const bench = await jobs(t, '');
  await server.client.xadd(bench.stream, '*', 'nothing', 'here');
  await bench.settled(1);
  t.same(bench.rows('queue_messages_total'), ['queue=app:jobs,result=dead 1']);
  t.equal(await server.client.xlen(bench.stream), 0);
});

test('rule 65: retries with a delay, then the dead letters; every metric of a queue comes out of this driver', async (t) => {
  const bench = await jobs(t, `host.note(queue.message():attempt()); if ... == 'bad' then error('no') end`, {
    ...DEAD,
    retry: { initial_delay: '100ms', jitter: 0 },
    max_length: 50,
  });
  t.same(bench.rows('queue_depth'), ['queue=app:dead 0', 'queue=app:jobs 0'], 'from the declaration on');
  t.same(bench.rows('queue_capacity'), ['queue=app:jobs 50'], 'absent where it is unbounded');
  const start = performance.now();
  for (const body of ['good', 'bad']) await bench.call('app:publish', [body]);
  await bench.settled(3);
  t.ok(performance.now() - start >= 99, 'the second attempt waits');
  t.same(bench.notes, [1, 1, 2]);
  await poll('depths', () => bench.rows('queue_depth').join() === 'queue=app:dead 1,queue=app:jobs 0');
  await bench.component('app:consumer').drain?.(new AbortController().signal);
  t.same(bench.rows('queue_messages_total'), [
    'queue=app:jobs,result=ack 1',
    'queue=app:jobs,result=dead 1',
    'queue=app:jobs,result=nack 1',
  ]);
  t.same(bench.rows('queue_process_duration_seconds').length, 3);
  t.same(bench.rows('queue_redelivered_total'), ['queue=app:jobs 1']);
  t.same(bench.rows('queue_wait_seconds'), ['queue=app:jobs 2']);
  t.same(bench.rows('queue_published_total'), ['queue=app:jobs,result=ok 2']);
  t.same(bench.rows('queue_in_flight'), ['queue=app:jobs 0']);
  await poll('the age of the dead letter', () =>
    bench.rows('queue_oldest_age_seconds').some((row) => /^queue=app:dead 0\.0*[1-9]|^queue=app:dead [1-9]/.test(row)),
  );
  for (let i = 0; i < 3; i += 1) await bench.call('app:publish', [i]);
  await poll('the true backlog', () => bench.rows('queue_depth').includes('queue=app:jobs 3'));
  const [letter] = await server.client.xrange(bench.dead, '-', '+');
  t.match(JSON.parse(fieldsOf(letter as [string, string[]]).headers ?? ''), {
    x_dead_letter_queue: 'app:jobs',
    x_dead_letter_kind: 'Internal',
    x_dead_letter_attempts: 2,
    x_dead_letter_reason: /no$/,
  });
});

test('prefetch: no more is taken ahead than that', async (t) => {
  const bench = await jobs(t, `host.note('begun'); host.sleep(600000)`, {}, { prefetch: 3, concurrency: 2 });
  for (let i = 0; i < 12; i += 1) await bench.call('app:publish', [i]);
  await poll('two have begun', () => bench.notes.length === 2);
  const pending = async () => Number(((await server.client.xpending(bench.stream, 'perilune')) as [number])[0]);
  await poll('three are taken ahead', async () => (await pending()) === 5);
  await poll('the gauge counts those as waiting', () => bench.rows('queue_depth').includes('queue=app:jobs 10'));
  t.equal(await pending(), 5);
});

test('a stream that is lost under the consumer begins again', async (t) => {
  const bench = await jobs(t, 'host.note(...)');
  await bench.call('app:publish', [1]);
  await bench.settled(1);
  await server.client.del(bench.stream);
  await bench.call('app:publish', [2]);
  await bench.settled(2);
  t.same(bench.notes, [1, 2]);
});

test('declarations of queue.driver.redis', (t) => {
  const entry = { id: 'app:driver', kind: 'queue.driver.redis' };
  t.same(decode(entry).messages, ['url is required']);
  t.match(decode({ ...entry, url_env: 'X' }).config, {
    prefix: 'perilune:',
    group: 'perilune',
    visibility_timeout: 30_000,
  });
  t.match(decode({ ...entry, url: 'redis://h', visibility_timeout: '1ns' }).messages, [/at least 10ms/]);
  t.end();
});
