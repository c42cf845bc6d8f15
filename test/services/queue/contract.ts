import { randomUUID } from 'node:crypto';
import { type Test, test } from 'tap';
import type { Delivery, DriverQueue, Intake, OutgoingMessage, QueueDriver } from '../../../services/queue/driver.ts';
import { poll } from '../../harness/poll.ts';

export interface DriverUnderTest {
  /** A driver of queues that nobody else has; not started. */
  make(): QueueDriver;
  /** The driver's wall clock. */
  wall(): number;
  /** Lets so many milliseconds pass for the driver. */
  pass(ms: number): Promise<void> | void;
  /** A queue that is full refuses a nack. */
  readonly refusesNack: boolean;
}

const never = new AbortController().signal;
const CONSUME = { prefetch: 10, autoAck: false };

/** What every driver must do, wherever its messages are: one suite for all (architecture.md, "A surface is one folder"). */
export const queueContract = (name: string, under: DriverUnderTest): void => {
  const setup = async (t: Test, { maxLength, windowMs = 60_000 }: { maxLength?: number; windowMs?: number } = {}) => {
    const driver = under.make();
    const queueOf = (queueName: string): DriverQueue =>
      driver.queue({ name: queueName, maxLength, idempotencyWindowMs: windowMs });
    const queue = queueOf('q');
    const other = queueOf('other');
    await driver.start();
    const intakes: Intake[] = [];
    t.teardown(async () => {
      await Promise.all(intakes.map((intake) => intake.close()));
      await driver.stop();
    });
    const message = (id: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
      id,
      body: JSON.stringify(id),
      headers: { timestamp: 1, 'amqp.x': 'ä', n: 1.5, yes: true },
      transport: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
      publishedAt: Math.floor(under.wall()),
      ...more,
    });
    return {
      driver,
      queue,
      other,
      message,
      publish: (id: string, options = {}, signal = never) => queue.publish(message(id), options, signal),
      consume(from = queue, options = CONSUME): Intake {
        const intake = from.consume(options);
        intakes.push(intake);
        return intake;
      },
      /** The gauge may be a moment old. */
      async depthIs(depth: number, of = queue): Promise<void> {
        await poll(`a depth of ${depth}`, () => of.depth() === depth);
        t.pass(`the depth is ${depth}`);
      },
    };
  };
  const taken = async (intake: Intake): Promise<Delivery> => {
    const delivery = await intake.next();
    if (delivery === undefined) throw new Error('the intake is closed');
    return delivery;
  };

  test(`${name}: first in, first out; a waiting consumer is served; everything published arrives`, async (t) => {
    const { publish, consume, message, depthIs } = await setup(t);
    for (const id of ['a', 'b']) await publish(id);
    await depthIs(2);
    const intake = consume();
    const first = await taken(intake);
    const sent = message('a');
    const { id, body, headers, transport, publishedAt, attempt } = first;
    t.same(
      { id, body, headers, transport, attempt },
      { id: 'a', body: sent.body, headers: sent.headers, transport: sent.transport, attempt: 1 },
    );
    t.ok(publishedAt > 0 && publishedAt <= under.wall());
    const second = await taken(intake);
    t.equal(second.id, 'b');
    const waiting = intake.next();
    await publish('c');
    const third = await waiting;
    t.equal(third?.id, 'c');
    for (const one of [first, second, third]) await one?.ack();
    await depthIs(0);
  });

  test(`${name}: a nacked message goes to the tail with the next attempt, at once or after its delay`, async (t) => {
    const { publish, consume, depthIs } = await setup(t);
    for (const id of ['a', 'b']) await publish(id);
    const intake = consume();
    const first = await taken(intake);
    const second = await taken(intake);
    await first.nack(0);
    t.same([second.id, second.attempt], ['b', 1]);
    await second.ack();
    const again = await taken(intake);
    t.same([again.id, again.attempt, again.body], ['a', 2, '"a"']);
    const before = under.wall();
    await again.nack(300);
    await depthIs(1);
    const waiting = intake.next();
    await under.pass(300);
    const third = await waiting;
    t.same([third?.id, third?.attempt], ['a', 3]);
    t.ok(under.wall() - before >= 299, 'not before its time');
    await third?.ack();
    await depthIs(0);
  });

  test(`${name}: a delayed publish is delivered not before its time, and waits until then`, async (t) => {
    const { publish, consume, depthIs } = await setup(t);
    const before = under.wall();
    await publish('late', { delayMs: 400 });
    await publish('soon');
    await depthIs(2);
    const intake = consume();
    const soon = await taken(intake);
    t.equal(soon.id, 'soon');
    await soon.ack();
    const waiting = intake.next();
    await under.pass(400);
    const late = await waiting;
    t.equal(late?.id, 'late');
    t.ok(under.wall() - before >= 399);
    await late?.ack();
    await depthIs(0);
  });

  test(`${name}: info tells what waits, and what of it is ready`, async (t) => {
    const { queue, publish } = await setup(t);
    t.match(await queue.info(), { message_count: 0, ready: 0 });
    await publish('a');
    await publish('later', { delayMs: 60_000 });
    t.match(await queue.info(), { message_count: 2, ready: 1 });
  });

  test(`${name}: a full queue makes publish wait until there is space or it is cancelled`, async (t) => {
    const { queue, publish, consume, message } = await setup(t, { maxLength: 1 });
    t.equal(queue.capacity(), 1);
    await publish('a');
    const done: string[] = [];
    const second = Promise.resolve(publish('b')).then(() => done.push('b'));
    const controller = new AbortController();
    const cancelled = publish('x', {}, controller.signal) as Promise<void>;
    controller.abort(new Error('gone'));
    await t.rejects(cancelled, { message: 'gone' });
    await t.rejects(async () => publish('y', {}, AbortSignal.abort(new Error('before'))), { message: 'before' });
    await t.rejects(async () => queue.store(message('letter')), { message: 'queue is full', kind: 'Internal' });
    t.same(done, []);
    const intake = consume(queue, { prefetch: 1, autoAck: false });
    await (await taken(intake)).ack();
    await second;
    await (await taken(intake)).ack();
  });

  test(`${name}: one idempotency key stores one message per window`, async (t) => {
    const { publish, depthIs } = await setup(t, { windowMs: 2000 });
    const key = { idempotencyKey: 'k' };
    await publish('a', key);
    await publish('b', key);
    await publish('c', { idempotencyKey: 'other' });
    await publish('d', { ...key, delayMs: 60_000 });
    await depthIs(2);
    await under.pass(2050);
    await publish('e', key);
    await depthIs(3);
  });

  test(`${name}: the oldest age counts from the publish`, async (t) => {
    const { queue, message, publish, consume, depthIs } = await setup(t);
    t.equal(queue.oldestAgeSeconds(), 0);
    await queue.publish(message('old', { publishedAt: under.wall() - 5000 }), {}, never);
    await publish('new');
    await depthIs(2);
    const age = queue.oldestAgeSeconds();
    t.ok(age >= 5 && age < 35, String(age));
    const intake = consume();
    for (let i = 0; i < 2; i += 1) await (await taken(intake)).ack();
    await poll('no age', () => queue.oldestAgeSeconds() === 0);
  });

  test(`${name}: of two consumers each message goes to one`, async (t) => {
    const { publish, consume, depthIs } = await setup(t);
    const seen: string[] = [];
    const intakes = [consume(), consume()];
    const work = intakes.map(async (intake) => {
      for (let one = await intake.next(); one !== undefined; one = await intake.next()) {
        seen.push(one.id);
        await one.ack();
      }
    });
    for (let i = 0; i < 200; i += 1) await publish(String(i));
    await poll('all are seen', () => seen.length === 200);
    await Promise.all(intakes.map((intake) => intake.close()));
    await Promise.all(work);
    t.equal(new Set(seen).size, 200);
    await depthIs(0);
  });

  test(`${name}: a closed intake wakes its waiters with nothing, and what it took ahead returns`, async (t) => {
    const { queue, publish, consume, depthIs } = await setup(t);
    const idle = consume();
    const waiting = idle.next();
    await idle.close();
    t.equal(await waiting, undefined);
    t.equal(await idle.next(), undefined);
    for (const id of ['a', 'b', 'c']) await publish(id);
    const intake = consume();
    const held = await taken(intake);
    await intake.close();
    await depthIs(2);
    await held.giveBack(0);
    await depthIs(3);
    const seen: string[] = [];
    const next = consume(queue);
    for (let i = 0; i < 3; i += 1) {
      const one = await taken(next);
      seen.push(`${one.id}${one.attempt}`);
      await one.ack();
    }
    t.same(seen.sort(), ['a2', 'b1', 'c1'], 'what nobody has seen is no attempt');
  });

  test(`${name}: a dead letter moves with its id, and leaves nothing behind`, async (t) => {
    const { queue, other, publish, consume, message, depthIs } = await setup(t);
    await publish('a');
    const delivery = await taken(consume());
    const letter = message('a', { headers: { x_dead_letter_queue: 'q' } });
    const moved = delivery.moveTo?.(other, letter);
    if (moved === undefined) {
      await other.store(letter);
      await delivery.ack();
    } else await moved;
    await depthIs(0, queue);
    await depthIs(1, other);
    const dead = await taken(consume(other));
    t.same([dead.id, dead.attempt], ['a', 1]);
    t.equal(dead.headers.x_dead_letter_queue, 'q');
    await dead.ack();
    await depthIs(0, other);
  });

  test(`${name}: auto_ack acknowledges what is handed out`, async (t) => {
    const { publish, consume, queue, depthIs } = await setup(t);
    await publish('a');
    const intake = consume(queue, { prefetch: 1, autoAck: true });
    t.equal((await taken(intake)).id, 'a');
    await depthIs(0);
    await intake.close();
    t.match(await queue.info(), { message_count: 0, ready: 0 });
  });

  test(`${name}: a driver that does not run refuses publishes; stop is idempotent`, async (t) => {
    const driver = under.make();
    const queue = driver.queue({ name: randomUUID(), maxLength: undefined, idempotencyWindowMs: 1 });
    const refused = { message: 'queue driver is not running' };
    const one = { id: '1', body: '1', headers: {}, transport: {}, publishedAt: 1 };
    await t.rejects(async () => queue.publish(one, {}, never), refused);
    await driver.stop();
    await driver.start();
    await queue.publish(one, {}, never);
    await driver.stop();
    await driver.stop();
    await t.rejects(async () => queue.publish(one, {}, never), refused);
  });

  if (!under.refusesNack) return;
  test(`${name}: a nack into a full queue fails; giveBack does not`, async (t) => {
    const { queue, publish, consume } = await setup(t, { maxLength: 1 });
    await publish('a');
    const delivery = await taken(consume());
    await publish('b');
    await t.rejects(async () => delivery.nack(0), { message: 'queue is full', kind: 'Internal' });
    await delivery.giveBack(0);
    t.equal(queue.depth(), 2);
  });
};
