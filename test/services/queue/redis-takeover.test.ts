import { setImmediate } from 'node:timers/promises';
import { test } from 'tap';
import { unavailable } from '../../../runtime/errors.ts';
import type { RedisLink } from '../../../runtime/redis/link.ts';
import type { Delivery } from '../../../services/queue/driver.ts';
import { Backlog } from '../../../services/queue/redis/backlog.ts';
import { redisIntake } from '../../../services/queue/redis/intake.ts';
import { queueKeys } from '../../../services/queue/redis/keys.ts';
import { FORGET, RECLAIM, RENEW } from '../../../services/queue/redis/scripts.ts';
import { fakeClock } from '../fake-clock.ts';

const VISIBILITY_MS = 3000;
type Entry = readonly [id: string, fields: readonly string[], deliveries?: number];
const entry = (id: string): Entry => [id, ['id', id, 'body', '1']];

/** A consumer whose Redis says what a test wants it to: which entries are new, and which ones it has taken over. */
const consumer = () => {
  const clock = fakeClock();
  const fresh: Entry[][] = [];
  let abandoned: readonly Entry[] = [];
  let forgetting = Promise.resolve();
  let endRead = (): void => {};
  let connected = (): void => {};
  let isAway = false;
  let renewals = 0;
  const reading = {
    isReady: true,
    start: async () => {},
    stop: () => endRead(),
    onReady(body: () => void) {
      connected = body;
    },
    runOnEach: async () => {},
    untilReady: async () => {},
    async run() {
      const entries = fresh.shift();
      if (entries !== undefined) return [['stream', entries]];
      await new Promise<void>((resolve) => {
        endRead = resolve;
      });
      return null;
    },
  };
  const link = {
    isReady: false, // of what closing does, nothing is asked of it
    untilReady: async () => {},
    async script(script: unknown) {
      if (isAway) throw unavailable('redis is not reachable');
      if (script === RENEW) renewals += 1;
      if (script === RECLAIM) {
        const taken = abandoned;
        abandoned = [];
        return ['0-0', taken];
      }
      if (script === FORGET) await forgetting;
      return 'ok';
    },
    runOnEach: async () => {},
    another: () => reading,
  } as unknown as RedisLink;
  const keys = queueKeys('p:', 'q');
  const place = { clock, link, keys, group: 'g', visibilityMs: VISIBILITY_MS, maxLength: 0, backlog: new Backlog() };
  const intake = redisIntake(
    place,
    { prefetch: 10, autoAck: false },
    {
      ensureGroup: async () => {},
      placeOf: () => undefined,
      onFailure: () => {},
      onLeft: () => {},
      onDelayed: () => {},
    },
  );
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 5; i += 1) await setImmediate();
  };
  return {
    intake,
    settle,
    arrive(...entries: Entry[]) {
      fresh.push(entries);
      endRead();
    },
    /** The first time, and whenever the connection is back. */
    async connect() {
      connected();
      await settle();
    },
    /** Redis is not there for so long, then it is; the connection follows. */
    async outage(ms: number) {
      isAway = true;
      clock.pass(ms);
      await settle();
      isAway = false;
    },
    /** A dead consumer has left these. */
    leave(...entries: Entry[]) {
      abandoned = entries;
    },
    async pass(ms: number) {
      clock.pass(ms);
      endRead();
      await settle();
    },
    get renewals() {
      return renewals;
    },
    /** The next look at what others have left behind finds these; it is not over before `until`. */
    async takeOver(until: Promise<void>, ...entries: Entry[]) {
      abandoned = entries;
      forgetting = until;
      clock.pass(VISIBILITY_MS);
      endRead();
      await settle();
    },
  };
};

test('what is settled while a takeover is under way is not delivered again', async (t) => {
  const { intake, settle, arrive, takeOver } = consumer();
  await settle();
  arrive(entry('1-0'));
  const first = (await intake.next()) as Delivery;
  t.equal(first.id, '1-0');

  const forgotten = Promise.withResolvers<void>();
  await takeOver(forgotten.promise, entry('1-0'), entry('2-0')); // a program that has slept: its own is among them
  await first.ack();
  forgotten.resolve();
  await settle();
  t.equal(((await intake.next()) as Delivery).id, '2-0', "another's is delivered");
  t.equal(intake.buffered, 0, 'and its own is not');
  await intake.close();
});

test('when Redis is back, what is held is renewed at once, and nothing is taken over before others could do the same', async (t) => {
  const one = consumer();
  const { intake } = one;
  await one.connect();
  await one.settle();
  one.arrive(entry('1-0'));
  const first = (await intake.next()) as Delivery;
  await one.pass(VISIBILITY_MS / 2); // a look at what others have left: there is nothing
  await one.outage(2 * VISIBILITY_MS);
  one.leave(entry('2-0'));
  const before = one.renewals;
  await one.connect();
  t.equal(one.renewals, before + 1);
  await one.pass(1900);
  t.equal(intake.buffered, 0, 'another program may only be about to connect');
  await one.pass(200);
  t.equal(intake.buffered, 1, 'whoever has not renewed it by now is gone');
  await first.ack();
  t.equal(((await intake.next()) as Delivery).id, '2-0');
  await intake.close();
});
