import { setTimeout as wait } from 'node:timers/promises';
import { t as root, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { redisLink } from '../../../runtime/redis/link.ts';
import { queueBrowser } from '../../../services/queue/redis/browser.ts';
import { redisDriver } from '../../../services/queue/redis/driver.ts';
import { queueKeys } from '../../../services/queue/redis/keys.ts';
import { startRedisCluster } from '../../harness/redis-cluster.ts';
import { queueContract } from './contract.ts';

const cluster = await startRedisCluster(root);
const clock = systemClock();
let drivers = 0;

queueContract('redis cluster', {
  make() {
    drivers += 1;
    return redisDriver(clock, {
      link: { clock, name: 'test', url: () => cluster.url, connectTimeoutMs: 10_000 },
      prefix: `${cluster.prefix}${drivers}:`,
      group: 'perilune',
      visibilityMs: 30_000,
      onFailure: (reason) => root.comment(reason),
    });
  },
  wall: clock.wall,
  pass: (ms) => wait(ms),
  refusesNack: false,
});

/** Queues in slots of different nodes. */
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

test('all keys of a queue are in one slot; queues are spread over the nodes', async (t) => {
  const slotOf = (key: string) => cluster.client.cluster('KEYSLOT', key);
  const slots = new Set<unknown>();
  for (const prefix of ['perilune:', '{shop}:']) {
    for (const name of NAMES) {
      const { stream, delayed, idempotency } = queueKeys(prefix, name);
      const slot = await slotOf(stream);
      t.same([await slotOf(delayed), await slotOf(idempotency('k{1}'))], [slot, slot], stream);
      slots.add(slot);
    }
  }
  t.equal(slots.size, NAMES.length + 1, 'a hash tag in the prefix puts all of them in one');
});

test('a dead letter moves between nodes, and back with replay', async (t) => {
  const prefix = `${cluster.prefix}moves:`;
  const options = { prefix, group: 'perilune', visibilityMs: 30_000, onFailure: (reason: string) => t.comment(reason) };
  const link = { clock, name: 'test', url: () => cluster.url, connectTimeoutMs: 10_000 };
  const driver = redisDriver(clock, { link, ...options });
  const make = (name: string, maxLength = 0) => driver.queue({ name, maxLength, idempotencyWindowMs: 60_000 });
  const from = NAMES.map((name) => make(name));
  const dead = make('dead');
  const full = make('full', 1);
  await driver.start();
  t.teardown(() => driver.stop());
  const { signal } = new AbortController();
  const message = (id: string) => ({ id, body: 'text', headers: {}, transport: {}, publishedAt: clock.wall() });
  await full.publish(message('fills') as never, {}, signal);
  for (const [i, queue] of from.entries()) {
    const intake = queue.consume({ prefetch: 1, autoAck: false });
    await queue.publish(message(`m${i}`) as never, {}, signal);
    const delivery = await intake.next();
    if (delivery?.moveTo === undefined) throw new Error('no delivery');
    await t.rejects(async () => delivery.moveTo?.(full, message(`m${i}`) as never), { message: 'queue is full' });
    await delivery.moveTo(dead, message(`m${i}`) as never);
    await intake.close();
    t.equal(await cluster.client.xlen(`${prefix}${NAMES[i]}`), 0, 'it is off its own queue');
  }
  t.equal(await cluster.client.xlen(`${prefix}dead`), NAMES.length);

  const looking = redisLink(link);
  await looking.start();
  t.teardown(() => looking.stop());
  const browser = queueBrowser(looking, queueKeys(prefix, 'dead'), 'perilune');
  let replayed = 0;
  for await (const waiting of browser.messages()) {
    t.ok(await browser.replay(waiting, queueKeys(prefix, `${NAMES[replayed]}`)));
    t.notOk(await browser.replay(waiting, queueKeys(prefix, `${NAMES[replayed]}`)), 'once');
    replayed += 1;
  }
  t.equal(replayed, NAMES.length);
  t.equal(await cluster.client.xlen(`${prefix}dead`), 0);
  for (const name of NAMES) t.equal(await cluster.client.xlen(`${prefix}${name}`), 1);
});
