import { t as root, type Test, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import type { OutgoingMessage, QueueDriver } from '../../../services/queue/driver.ts';
import { redisDriver } from '../../../services/queue/redis/driver.ts';
import { freePort } from '../../harness/free-port.ts';
import { poll } from '../../harness/poll.ts';
import { type RedisServer, startOwnRedis, startRedis } from '../../harness/redis.ts';
import { lua, surfaceBench } from '../surface-bench.ts';

const server = await startRedis(root);
const clock = systemClock();
const never = new AbortController().signal;
const CONSUME = { prefetch: 1, autoAck: false };
const QUEUE = { name: 'q', maxLength: undefined, idempotencyWindowMs: 1000 };

/** One program's driver; all of a test have the same queues. */
const driverOn = async (t: Test, { url, prefix }: RedisServer, visibilityMs: number, time = clock) => {
  const driver: QueueDriver = redisDriver(time, {
    link: { clock, name: 'test', url: () => url, connectTimeoutMs: 5000 },
    prefix: `${prefix}${t.name}:`,
    group: 'perilune',
    visibilityMs,
    onFailure: () => {},
  });
  const queue = driver.queue(QUEUE);
  await driver.start();
  t.teardown(() => driver.stop());
  return { driver, queue, stream: `${prefix}${t.name}:q` };
};
const message = (id: string): OutgoingMessage => ({
  id,
  body: '1',
  headers: {},
  transport: {},
  publishedAt: clock.wall(),
});

test('a delivery that is being worked on is renewed, and nobody takes it over', async (t) => {
  const one = await driverOn(t, server, 1000);
  const two = await driverOn(t, server, 1000);
  await one.queue.publish(message('a'), {}, never);
  const intake = one.queue.consume(CONSUME);
  const held = await intake.next();
  const other = two.queue.consume(CONSUME);
  let stolen: unknown;
  void Promise.resolve(other.next()).then((taken) => {
    stolen = taken;
  });
  const until = clock.now() + 3000; // three times the visibility timeout
  await poll('time passes', () => clock.now() > until);
  t.equal(stolen, undefined);
  await held?.ack();
  await intake.close();
  await other.close();
  t.equal(await server.client.xlen(one.stream), 0);
});

test('what is not renewed is taken over, as its next attempt; the late settlement changes nothing', async (t) => {
  const dead = await driverOn(t, server, 300);
  await dead.queue.publish(message('a'), {}, never);
  const lost = await dead.queue.consume(CONSUME).next();
  await dead.driver.stop(); // its connection is gone, and with it the renewals
  const alive = await driverOn(t, server, 300);
  const intake = alive.queue.consume(CONSUME);
  const taken = await intake.next();
  t.same([taken?.id, taken?.attempt], ['a', 2]);
  await t.rejects(async () => lost?.ack(), { message: /not started/, kind: 'Unavailable' });
  await taken?.nack(0);
  const again = await intake.next();
  t.same([again?.id, again?.attempt], ['a', 3]);
  await again?.ack();
  await intake.close();
  t.equal(await server.client.xlen(alive.stream), 0);
  const groups = (await server.client.xinfo('GROUPS', alive.stream)) as unknown[][];
  t.equal(groups.length, 1);
});

test('whoever has taken a message over keeps it: renewals and settlements of the one before change nothing', async (t) => {
  const { driver, queue, stream } = await driverOn(t, server, 3000);
  const other = driver.queue({ ...QUEUE, name: 'other' });
  await queue.publish(message('a'), {}, never);
  const intake = queue.consume(CONSUME);
  const held = await intake.next();
  if (held === undefined) return t.fail('no delivery');
  const [entry] = await server.client.xrange(stream, '-', '+');
  const takeOver = () => server.client.xclaim(stream, 'perilune', 'another', 0, entry?.[0] ?? '', 'JUSTID');
  const owner = async () =>
    ((await server.client.xpending(stream, 'perilune', '-', '+', 10)) as [string, string][])[0]?.[1];
  await takeOver();
  const until = clock.now() + 1200; // a renewal was due after 1000
  await poll('time passes', () => clock.now() > until);
  await held.nack(0);
  t.equal(await owner(), 'another');
  t.equal(await server.client.xlen(stream), 1, 'nothing was put back');
  await held.moveTo?.(other, message('a'));
  t.equal(await owner(), 'another');
  t.equal(await server.client.xlen(stream.replace(/q$/, 'other')), 0, 'nothing was moved');
  await intake.close();
});

test('what is under way is not taken over from itself, even where Redis counts it as old right after its renewal', async (t) => {
  const { queue, stream } = await driverOn(t, server, 1000);
  const intake = queue.consume({ prefetch: 10, autoAck: false });
  await queue.publish(message('a'), {}, never);
  const first = await intake.next();
  const [entry] = await server.client.xrange(stream, '-', '+');
  const pending = async () =>
    (await server.client.xpending(stream, 'perilune', '-', '+', 10)) as [string, string, number][];
  const owner = (await pending())[0]?.[1] ?? '';
  await server.client.xclaim(stream, 'perilune', owner, 0, entry?.[0] ?? '', 'IDLE', 60_000, 'JUSTID');
  await poll('it was claimed', async () => ((await pending())[0]?.[2] ?? Number.POSITIVE_INFINITY) < 60_000);
  await queue.publish(message('b'), {}, never);
  const second = await intake.next();
  t.same([first?.id, second?.id], ['a', 'b']);
  await first?.ack();
  await second?.ack();
  await intake.close();
  t.equal(await server.client.xlen(stream), 0);
});

test('a consumer whose renewals come late does not take over from itself', async (t) => {
  // Its reads go on and its timers do not: the order in which a program that was stopped for a while (SIGSTOP) wakes up.
  const { queue } = await driverOn(t, server, 300, { ...clock, every: () => () => {} });
  const intake = queue.consume({ prefetch: 10, autoAck: false });
  for (const id of ['a', 'b', 'c']) await queue.publish(message(id), {}, never);
  const first = await intake.next();
  const until = clock.now() + 1500;
  await poll('time passes', () => clock.now() > until); // the other two are taken ahead
  const second = await intake.next();
  const third = await intake.next();
  t.same(
    [first, second, third].map((one) => [one?.id, one?.attempt]),
    [
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ],
  );
  let fourth: unknown;
  void Promise.resolve(intake.next()).then((taken) => {
    fourth = taken;
  });
  const later = clock.now() + 1000; // several looks for what others have left behind
  await poll('time passes', () => clock.now() > later);
  t.equal(fourth, undefined);
  for (const one of [first, second, third]) await one?.ack();
  await intake.close();
});

test('a restart of Redis that takes longer than the visibility timeout is no second delivery', async (t) => {
  const own = await startOwnRedis(t, { appendOnly: true });
  const { queue, stream } = await driverOn(t, own, 300);
  for (const id of ['a', 'b']) await queue.publish(message(id), {}, never);
  const intake = queue.consume({ prefetch: 2, autoAck: false });
  const [first, second] = [await intake.next(), await intake.next()];
  await own.kill();
  const settled = Promise.resolve(first?.ack()); // its work was done while Redis was away
  const until = clock.now() + 1000;
  await poll('time passes', () => clock.now() > until);
  await own.restart();
  await settled;
  let again: unknown;
  void Promise.resolve(intake.next()).then((taken) => {
    again = taken;
  });
  const later = clock.now() + 1000;
  await poll('time passes', () => clock.now() > later);
  t.equal(again, undefined, 'neither the settled one nor the one in hand');
  await second?.ack();
  await intake.close();
  t.equal(await own.client.xlen(stream), 0);
});

test('nor is it one in another program: what the first one holds is not taken over before it could renew it', async (t) => {
  const own = await startOwnRedis(t, { appendOnly: true });
  const [one, two] = [await driverOn(t, own, 3000), await driverOn(t, own, 3000)];
  for (const id of ['a', 'b']) await one.queue.publish(message(id), {}, never);
  const intake = one.queue.consume(CONSUME);
  const first = await intake.next();
  await poll('it has as much as it takes', () => one.queue.depth() === 1);
  const other = two.queue.consume(CONSUME);
  let stolen: string | undefined;
  void Promise.resolve(other.next()).then((taken) => {
    stolen = taken?.id;
  });
  await own.kill();
  const until = clock.now() + 3500;
  await poll('time passes', () => clock.now() > until);
  await own.restart();
  const later = clock.now() + 3000;
  await poll('time passes', () => clock.now() > later);
  t.equal(stolen, undefined);
  await first?.ack();
  await (await intake.next())?.ack();
  await Promise.all([intake.close(), other.close()]);
  t.equal(await own.client.xlen(one.stream), 0);
});

test('a settlement that waits for Redis does not hold up the stop', async (t) => {
  const own = await startOwnRedis(t);
  const { queue } = await driverOn(t, own, 60_000);
  await queue.publish(message('a'), {}, never);
  const intake = queue.consume(CONSUME);
  const held = await intake.next();
  await own.kill();
  const settled = Promise.resolve(held?.ack()).then(
    () => 'settled',
    () => 'given up',
  );
  let outcome: string | undefined;
  void settled.then((how) => {
    outcome = how;
  });
  const until = clock.now() + 300;
  await poll('time passes', () => clock.now() > until);
  t.equal(outcome, undefined, 'it waits');
  await intake.close();
  t.equal(await settled, 'given up');
});

test('a settlement that Redis does not take now is tried again, and not all the time', async (t) => {
  const own = await startOwnRedis(t);
  const { queue, stream } = await driverOn(t, own, 60_000);
  await queue.publish(message('a'), {}, never);
  const intake = queue.consume(CONSUME);
  const held = await intake.next();
  await own.client.config('SET', 'min-replicas-to-write', '1');
  await own.client.config('RESETSTAT');
  const settled = Promise.resolve(held?.nack(0));
  const until = clock.now() + 1000;
  await poll('time passes', () => clock.now() > until);
  const refused = /errorstat_NOREPLICAS:count=(\d+)/.exec(await own.client.info('errorstats'))?.[1];
  t.ok(Number(refused) > 1, 'it is tried again');
  t.ok(Number(refused) < 100, `${refused} times`);
  await own.client.config('SET', 'min-replicas-to-write', '0');
  await settled;
  t.equal(await own.client.xlen(stream), 1, 'it is back in the queue');
  await intake.close();
});

test('a consumer that has closed leaves no name behind', async (t) => {
  const { queue, stream } = await driverOn(t, server, 1000);
  const consumers = async () => ((await server.client.xinfo('CONSUMERS', stream, 'perilune')) as unknown[]).length;
  const intake = queue.consume(CONSUME);
  await queue.publish(message('a'), {}, never);
  const delivery = await intake.next();
  t.equal(await consumers(), 1);
  await intake.close();
  t.equal(await consumers(), 1, 'a delivery is still being worked on');
  await delivery?.ack();
  await poll('it is gone', async () => (await consumers()) === 0);
});

test('a start without a server fails and says where', async (t) => {
  const port = await freePort();
  const driver = redisDriver(clock, {
    link: { clock, name: 'test', url: () => `redis://127.0.0.1:${port}`, connectTimeoutMs: 5000 },
    prefix: 'x:',
    group: 'g',
    visibilityMs: 1000,
    onFailure: () => {},
  });
  driver.queue(QUEUE);
  await t.rejects(driver.start(), {
    message: `redis at 127.0.0.1:${port} does not answer: connect ECONNREFUSED 127.0.0.1:${port}`,
  });
  await driver.stop();
});

test('redis is killed and comes back: publishes fail meanwhile, nothing is lost, in-flight is 0 again', async (t) => {
  const own = await startOwnRedis(t, { appendOnly: true });
  const bench = await surfaceBench(t, [
    { id: 'app:driver', kind: 'queue.driver.redis', url: own.url },
    { id: 'app:jobs', kind: 'queue.queue', driver: 'app:driver' },
    { id: 'app:consumer', kind: 'queue.consumer', queue: 'app:jobs', func: 'app:work', concurrency: 4 },
    lua('app:work', `local n = ...; host.note(n); if n <= 4 then host.sleep(1500) end`),
    lua(
      'app:publish',
      `local ok, e = queue.publish('app:jobs', ...); if e then return e:kind() .. tostring(e:retryable()) end; return ok`,
    ),
  ]);
  for (let n = 1; n <= 20; n += 1) t.equal(await bench.call('app:publish', [n]), true);
  await poll('four are in flight', () => bench.rows('queue_in_flight').includes('queue=app:jobs 4'));
  await own.kill();
  t.equal(await bench.call('app:publish', [100]), 'Unavailabletrue');
  await own.restart();
  await poll('publishes work again', async () => (await bench.call('app:publish', [21])) === true);
  await poll(
    'every message is settled',
    () => new Set(bench.notes).size >= 21 && bench.rows('queue_in_flight').includes('queue=app:jobs 0'),
  );
  await poll('the stream is empty', async () => (await own.client.xlen('perilune:jobs')) === 0);
  const rows = bench.rows('queue_messages_total');
  t.same(rows, ['queue=app:jobs,result=ack 21'], 'a settlement waits for the restart: no second delivery');
  t.same(bench.notes.length, 21);
  const said = bench.lines.filter(({ message: text }) => /redis|trouble/.test(text)).map(({ level }) => level);
  t.same(said, ['warn', 'info'], 'rule 119: one warning an episode');
  t.equal(bench.rows('queue_published_total').length, 2);
});
