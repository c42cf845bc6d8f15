import { t as root, type Test, test } from 'tap';
import { poll } from '../../harness/poll.ts';
import { startRedis } from '../../harness/redis.ts';
import { type EntryText, lua, surfaceBench } from '../surface-bench.ts';

// What both drivers count and show: the same, but for the capacity of a queue without a limit.

const redis = await startRedis(root);
let apps = 0;
const DRIVERS: Readonly<Record<string, () => EntryText>> = {
  memory: () => ({ id: 'app:driver', kind: 'queue.driver.memory' }),
  redis: () => {
    apps += 1;
    return { id: 'app:driver', kind: 'queue.driver.redis', url: redis.url, prefix: `${redis.prefix}${apps}:` };
  },
};

const HANDLER = `
  local what, message = ..., queue.message()
  if what == 'bad' then error('refused') end
  if what == 'again' and message:attempt() == 1 then assert(message:nack({ delay = '5ms' })) end
  if what == 'hold' then host.note('held'); host.sleep(600000) end`;
const PUBLISH = `local what, key = ...
  if what == 'loop' then what = {}; what.self = what end
  local ok, err = queue.publish('app:jobs', what, { secret = 'planted-in-a-header' }, key and { idempotency_key = key })
  return ok or err:kind()`;

const benchOf = (t: Test, driver: string) =>
  surfaceBench(t, [
    (DRIVERS[driver] as () => EntryText)(),
    {
      id: 'app:jobs',
      kind: 'queue.queue',
      driver: 'app:driver',
      max_length: 50,
      dead_letter: { queue: 'app:dead', max_attempts: 2 },
    },
    { id: 'app:dead', kind: 'queue.queue', driver: 'app:driver' },
    { id: 'app:consumer', kind: 'queue.consumer', queue: 'app:jobs', func: 'app:work', concurrency: 2 },
    lua('app:work', HANDLER),
    lua('app:publish', PUBLISH),
  ]);
type Bench = Awaited<ReturnType<typeof benchOf>>;
/** Redis is asked every half second how much waits. */
const shows = (bench: Bench, name: string, rows: readonly string[]) =>
  poll(`${name}: ${rows.join('; ')}`, () => bench.rows(name).join() === rows.join()).catch((error: unknown) => {
    throw new Error(`${String(error)}; it is ${bench.rows(name).join('; ')}`);
  });

for (const driver of Object.keys(DRIVERS)) {
  test(`rules 15, 65: ${driver}: every outcome is counted once, in-flight is 0 after the drain`, async (t) => {
    const bench = await benchOf(t, driver);
    t.same(bench.rows('queue_messages_total'), [], 'rule 9: nothing before its first use');
    t.same(bench.rows('queue_depth'), ['queue=app:dead 0', 'queue=app:jobs 0'], 'but the gauges of a declared queue');
    const capacity = ['queue=app:jobs 50'];
    t.same(bench.rows('queue_capacity'), driver === 'memory' ? ['queue=app:dead 1000', ...capacity] : capacity);
    const answers: unknown[] = [];
    for (const what of ['ok', 'bad', 'again', 'loop']) answers.push(await bench.call('app:publish', [what]));
    for (let i = 0; i < 2; i += 1) answers.push(await bench.call('app:publish', ['once', 'planted-key']));
    t.same(answers, [true, true, true, 'Internal', true, true]);
    await poll(
      'all are settled',
      () => bench.lines.filter(({ message }) => message === 'message processed').length === 6,
    );
    await bench.component('app:consumer').drain?.(new AbortController().signal);

    const settled = ['ack 3', 'dead 1', 'nack 2'].map((row) => `queue=app:jobs,result=${row}`);
    t.same(bench.rows('queue_messages_total'), settled, 'a dead letter is no nack');
    t.same(bench.rows('queue_process_duration_seconds'), settled);
    t.same(bench.rows('queue_in_flight'), ['queue=app:jobs 0']);
    t.same(bench.rows('queue_redelivered_total'), ['queue=app:jobs 2']);
    t.same(bench.rows('queue_wait_seconds'), ['queue=app:jobs 4'], 'first deliveries only');
    t.same(
      bench.rows('queue_published_total'),
      ['queue=app:jobs,result=error 1', 'queue=app:jobs,result=ok 5'],
      'a repeated key is ok',
    );
    await shows(bench, 'queue_depth', ['queue=app:dead 1', 'queue=app:jobs 0']);
    t.same(
      bench.lines.map(({ level, fields }) => `${level} ${fields.result}`).sort(),
      ['error dead', 'info ack', 'info ack', 'info ack', 'warn nack', 'warn nack'],
      'rule 118: one line a delivery',
    );
    const signals = {
      spans: JSON.stringify(bench.recorder.spans()),
      lines: JSON.stringify(bench.lines),
      metrics: JSON.stringify(bench.collector.snapshot()),
    };
    for (const [where, text] of Object.entries(signals)) {
      t.match(text, /app:jobs/, `${where} were searched`);
      t.notMatch(text, /planted/, where);
    }
  });

  test(`rules 10, 65: ${driver}: what is worked on and what waits, while it does; the depth is the true backlog`, async (t) => {
    const bench = await benchOf(t, driver);
    const begun = Date.now() / 1000;
    for (let i = 0; i < 5; i += 1) await bench.call('app:publish', ['hold']);
    await poll('two are held', () => bench.notes.length === 2);
    t.same(bench.rows('queue_in_flight'), ['queue=app:jobs 2']);
    // Also those that are taken ahead.
    await shows(bench, 'queue_depth', ['queue=app:dead 0', 'queue=app:jobs 3']);
    const age = () => Number(/app:jobs (.+)/.exec(bench.rows('queue_oldest_age_seconds').join())?.[1]);
    await poll('the oldest has an age', () => age() > 0);
    t.ok(age() <= Date.now() / 1000 - begun + 0.001, 'since its publish');
    // A stop that does not wait: the handlers are cancelled, and nothing is lost.
    await bench.component('app:consumer').drain?.(AbortSignal.abort());
    t.same(bench.rows('queue_in_flight'), ['queue=app:jobs 0']);
    t.same(bench.rows('queue_messages_total'), ['queue=app:jobs,result=nack 2']);
    await shows(bench, 'queue_depth', ['queue=app:dead 0', 'queue=app:jobs 5']);
    for (let depth = 6; depth <= 8; depth += 1) {
      await bench.call('app:publish', ['more']);
      t.same(bench.rows('queue_depth'), ['queue=app:dead 0', `queue=app:jobs ${depth}`], 'at once');
    }
  });
}
