import { t as root, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { redisLink } from '../../../runtime/redis/link.ts';
import { redisScript } from '../../../runtime/redis/script.ts';
import { poll } from '../../harness/poll.ts';
import { startRedisCluster } from '../../harness/redis-cluster.ts';

const cluster = await startRedisCluster(root);
const clock = systemClock();

test('any node stands for the cluster: each key goes to its own, and a script is made known to each', async (t) => {
  const link = redisLink({ clock, name: 'test', url: () => cluster.url, connectTimeoutMs: 10_000 });
  await link.start();
  t.teardown(() => link.stop());
  const add = redisScript(`return redis.call('INCRBY', KEYS[1], ARGV[1])`);
  for (let i = 0; i < 20; i += 1) {
    t.equal(await link.script(add, [`${cluster.prefix}${i}`], [i]), i);
    t.equal(await link.run((redis) => redis.get(`${cluster.prefix}${i}`)), String(i));
  }
  const seen: number[] = [];
  await link.runOnEach(async (node) => void seen.push(await node.dbsize()));
  t.equal(seen.length, 3);
  t.ok(
    seen.every((size) => size > 0),
    `${seen}`,
  );
  await t.rejects(link.script(add, [`${cluster.prefix}1`, `${cluster.prefix}2`], [1]), {
    kind: 'Internal',
    message: /CROSSSLOT/,
  });
});

test('it outlives the node that the url names, and comes back when all were gone', async (t) => {
  const seen: string[] = [];
  const watch = { lost: () => seen.push('lost'), back: () => seen.push('back') };
  const link = redisLink({ clock, name: 'test', url: () => cluster.url, connectTimeoutMs: 10_000, watch });
  await link.start();
  t.teardown(() => link.stop());
  const keys = Array.from({ length: 12 }, (_, i) => `${cluster.prefix}outlives${i}`);
  const set = (key: string) =>
    link
      .run((redis) => redis.set(key, 'v'))
      .then(
        () => 'OK',
        (error: { kind?: string; retryable?: boolean }) => `${error.kind} ${error.retryable}`,
      );
  const all = () => Promise.all(keys.map(set));
  t.same(new Set(await all()), new Set(['OK']));
  await cluster.kill(0);
  t.same([...new Set(await all())].sort(), ['OK', 'Unavailable true']);
  t.same(seen, [], 'the others are there');
  await cluster.kill(1);
  await cluster.kill(2);
  await poll('nothing is left', async () => (await all()).every((one) => one === 'Unavailable true'));
  await poll('it is told', () => seen.includes('lost'));
  // The one of the url stays away: it is not needed any more.
  await Promise.all([cluster.restart(1, { alone: true }), cluster.restart(2, { alone: true })]);
  await poll('the others are found', async () => (await all()).filter((one) => one === 'OK').length > 4);
  t.same(seen, ['lost', 'back']);
  await cluster.restart(0);
  await poll('and it too', async () => (await all()).every((one) => one === 'OK'));
});

test('a cluster that cannot be reached as one fails the start in time', async (t) => {
  const link = redisLink({ clock, name: 'test', url: () => cluster.url, connectTimeoutMs: 10_000 });
  await cluster.kill(0);
  await t.rejects(link.start(), { message: /^redis at 127\.0\.0\.1:\d+ does not answer: / });
  await cluster.restart(0);
  await link.start();
  link.stop();
});
