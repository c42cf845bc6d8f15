import { setImmediate } from 'node:timers/promises';
import { test } from 'tap';
import type { RedisLink } from '../../../runtime/redis/link.ts';
import type { Delivery } from '../../../services/queue/driver.ts';
import { Backlog } from '../../../services/queue/redis/backlog.ts';
import { redisIntake } from '../../../services/queue/redis/intake.ts';
import { queueKeys } from '../../../services/queue/redis/keys.ts';
import { FORGET, RECLAIM } from '../../../services/queue/redis/scripts.ts';
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
  const reading = {
    isReady: true,
    start: async () => {},
    stop: () => endRead(),
    onReady: () => {},
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
    async script(script: unknown) {
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
