import { setTimeout as wait } from 'node:timers/promises';
import { t as root, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { redisLink } from '../../../runtime/redis/link.ts';
import { redisBackend } from '../../../services/kv/redis.ts';
import { poll } from '../../harness/poll.ts';
import { startRedisCluster } from '../../harness/redis-cluster.ts';
import { storeContract } from './contract.ts';

const cluster = await startRedisCluster(root);
let stores = 0;
const make = () => {
  stores += 1;
  const link = redisLink({ clock: systemClock(), name: 'test', url: () => cluster.url, connectTimeoutMs: 10_000 });
  return redisBackend('app:cache', link, `${cluster.prefix}${stores}:`);
};

storeContract('redis cluster', { make, pass: (seconds) => wait(seconds * 1000), isBounded: false });

test('keys are spread over the nodes and listed in one order; a node that is away costs its own keys only', async (t) => {
  const store = make();
  await store.start();
  t.teardown(() => store.stop());
  const keys = Array.from({ length: 60 }, (_, i) => `:k${String(i).padStart(2, '0')}`);
  for (const key of keys) await store.set(key, key, undefined);
  const sizes = await Promise.all(cluster.client.nodes('master').map((node) => node.dbsize()));
  t.equal(sizes.filter((size) => size > 0).length, 3, `${sizes}`);
  const page = await store.list({ prefix: '', after: ':k09', limit: 20 });
  t.same(
    page.items.map(({ key }) => key),
    keys.slice(10, 30),
  );
  t.equal(page.hasMore, true);

  await cluster.kill(2);
  const outcomes = () =>
    Promise.all(
      keys.map(async (key) => {
        try {
          return (await store.get(key))?.value === key ? 'found' : 'missing';
        } catch (error) {
          return (error as { kind?: string }).kind;
        }
      }),
    );
  const during = await poll('its keys are away', async () => {
    const now = await outcomes();
    return now.includes('Unavailable') && now;
  });
  t.same([...new Set(during)].sort(), ['Unavailable', 'found']);
  await cluster.restart(2);
  await poll('and are back', async () => (await outcomes()).every((one) => one === 'found'));
});
