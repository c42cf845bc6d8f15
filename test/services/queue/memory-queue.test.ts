import { test } from 'tap';
import type { Delivery, OutgoingMessage } from '../../../services/queue/driver.ts';
import { memoryDriver } from '../../../services/queue/memory.ts';
import { fakeClock } from '../fake-clock.ts';
import { queueContract } from './contract.ts';

const shared = fakeClock();
queueContract('memory', {
  make: () => memoryDriver(shared),
  wall: shared.wall,
  pass: shared.pass,
  refusesNack: true,
});

const never = new AbortController().signal;
const CONSUME = { prefetch: 10, autoAck: false };

const setup = async (maxLength?: number, idempotencyWindowMs = 1000) => {
  const clock = fakeClock();
  const driver = memoryDriver(clock);
  const queue = driver.queue({ name: 'q', maxLength, idempotencyWindowMs });
  await driver.start();
  const message = (id: string): OutgoingMessage => ({
    id,
    body: id,
    headers: {},
    transport: {},
    publishedAt: clock.wall(),
  });
  const publish = (id: string, options = {}, signal = never) => queue.publish(message(id), options, signal);
  return { clock, driver, queue, publish, message };
};
const taken = (delivery: Delivery | undefined | Promise<Delivery | undefined>): Delivery => {
  if (delivery === undefined || delivery instanceof Promise) throw new Error('nothing is there');
  return delivery;
};

test('first in, first out; a waiting consumer is served at once', async (t) => {
  const { queue, publish } = await setup();
  for (const id of ['a', 'b']) publish(id);
  const intake = queue.consume(CONSUME);
  t.equal(taken(intake.next()).id, 'a');
  t.equal(taken(intake.next()).id, 'b');
  const waiting = intake.next();
  publish('c');
  t.equal((await waiting)?.id, 'c');
  t.equal(queue.depth(), 0);
});

test('a nacked message goes to the tail with the next attempt, at once or after its delay', async (t) => {
  const { queue, publish, clock } = await setup();
  for (const id of ['a', 'b']) publish(id);
  const intake = queue.consume(CONSUME);
  taken(intake.next()).nack(0);
  t.equal(taken(intake.next()).id, 'b');
  const again = taken(intake.next());
  t.same([again.id, again.attempt], ['a', 2]);
  again.nack(500);
  t.equal(queue.depth(), 1, 'a delayed message waits too');
  t.same(queue.info(), { message_count: 1, ready: 0, consumer_waiting: 0 });
  clock.pass(499);
  t.match(queue.info(), { ready: 0 });
  clock.pass(1);
  t.same([taken(intake.next()).attempt, clock.timers], [3, 0]);
});

test('a full queue makes publish wait, in order, until there is space or it is cancelled', async (t) => {
  const { queue, publish } = await setup(1);
  t.equal(publish('a'), undefined);
  const second = publish('b');
  const controller = new AbortController();
  const cancelled = publish('x', {}, controller.signal);
  const third = publish('c');
  controller.abort(new Error('gone'));
  await t.rejects(cancelled as Promise<void>, { message: 'gone' });
  const intake = queue.consume(CONSUME);
  t.equal(taken(intake.next()).id, 'a');
  await second;
  t.equal(queue.depth(), 1);
  t.equal(taken(intake.next()).id, 'b');
  await third;
  t.equal(taken(intake.next()).id, 'c');
});

test('a nack into a full queue fails; giveBack does not', async (t) => {
  const { queue, publish } = await setup(1);
  publish('a');
  const delivery = taken(queue.consume(CONSUME).next());
  publish('b');
  t.throws(() => delivery.nack(0), { message: 'queue is full', kind: 'Internal' });
  t.throws(() => queue.store(delivery), { message: 'queue is full' });
  delivery.giveBack(0);
  t.equal(queue.depth(), 2);
});

test('one idempotency key stores one message per window; a cancelled publish gives it back', async (t) => {
  const { queue, publish, clock } = await setup(2);
  const key = { idempotencyKey: 'k' };
  publish('a', key);
  publish('b', key);
  t.equal(queue.depth(), 1);
  clock.pass(1001);
  publish('c', key);
  t.equal(queue.depth(), 2);
  const controller = new AbortController();
  const waiting = publish('d', { idempotencyKey: 'other' }, controller.signal);
  controller.abort(new Error('gone'));
  await t.rejects(waiting as Promise<void>);
  const again = publish('e', { idempotencyKey: 'other' });
  t.ok(again instanceof Promise, 'it waits for space: the key was free');
  taken(queue.consume(CONSUME).next());
  await again;
});

test('the oldest age counts from the publish, also of redelivered and delayed messages', async (t) => {
  const { queue, publish, clock } = await setup();
  t.equal(queue.oldestAgeSeconds(), 0);
  publish('a');
  clock.pass(5000);
  publish('b');
  t.equal(queue.oldestAgeSeconds(), 5);
  const intake = queue.consume(CONSUME);
  const first = taken(intake.next());
  t.equal(queue.oldestAgeSeconds(), 0);
  first.nack(0);
  t.equal(queue.oldestAgeSeconds(), 5, 'a is behind b and still the older');
});

test('a closed intake wakes its waiters with nothing, and takes nothing more', async (t) => {
  const { queue, publish } = await setup();
  const intake = queue.consume(CONSUME);
  const waiting = intake.next();
  intake.close();
  t.equal(await waiting, undefined);
  publish('a');
  t.equal(intake.next(), undefined);
  t.equal(queue.depth(), 1);
});

test('a driver that does not run refuses publishes, and its stop cancels timers', async (t) => {
  const { driver, publish, clock } = await setup();
  publish('a', { delayMs: 1000 });
  t.equal(clock.timers, 1);
  await driver.stop();
  t.equal(clock.timers, 0);
  t.throws(() => publish('b'), { message: 'queue driver is not running' });
});

test('ten thousand messages pass in order', async (t) => {
  const { queue, publish } = await setup(100_000);
  for (let i = 0; i < 10_000; i += 1) publish(String(i));
  const intake = queue.consume(CONSUME);
  for (let i = 0; i < 10_000; i += 1) {
    if (taken(intake.next()).id !== String(i)) return t.fail(`message ${i} is out of order`);
  }
  t.equal(queue.depth(), 0);
});
