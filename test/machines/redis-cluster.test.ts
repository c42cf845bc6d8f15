import { t as root, type Test, test } from 'tap';
import { poll } from '../harness/poll.ts';
import { startRedisCluster } from '../harness/redis-cluster.ts';
import { appFolder } from '../services/cdc/app.ts';
import { numbersOf, startMachines, sumOf } from './machines.ts';

const cluster = await startRedisCluster(root);

/** Two queues, a store and a schedule's lock, in slots of different nodes. */
const folder = (t: Test, prefix: string): string => {
  const redis = { url: cluster.url, lifecycle: { auto_start: true } };
  const job = (name: string, body: string) => ({
    name,
    kind: 'function.lua',
    method: 'main',
    modules: ['store', 'time'],
    source: `return function(job) ${body} end`,
  });
  const consumer = { kind: 'queue.consumer', concurrency: 2, lifecycle: { auto_start: true } };
  return appFolder(t, [
    { ...redis, name: 'broker', kind: 'queue.driver.redis', prefix, visibility_timeout: '3s' },
    { ...redis, name: 'notes', kind: 'store.redis', prefix: `${prefix}notes:` },
    { name: 'dead', kind: 'queue.queue', driver: 'broker' },
    { name: 'jobs', kind: 'queue.queue', driver: 'broker', dead_letter: { queue: 'dead', max_attempts: 2 } },
    { ...consumer, name: 'worker', queue: 'jobs', func: 'work', lifecycle: { auto_start: true, requires: ['notes'] } },
    { ...consumer, name: 'undertaker', queue: 'dead', func: 'bury' },
    job(
      'work',
      `print('begun ' .. job.n) local notes = assert(store.get('app:notes'))
       while job.hold and not notes:has('go') do time.sleep('20ms') end
       if job.fail then error('as asked') end
       assert(notes:set('done:' .. job.n, true)) print('done ' .. job.n)`,
    ),
    job('bury', `print('dead ' .. job.n)`),
    {
      name: 'tick',
      kind: 'process.schedule',
      every: '1s',
      lock: 'notes',
      func: 'ticked',
      lifecycle: { auto_start: true },
    },
    job('ticked', `print('ticked 1')`),
  ]);
};

test('programs on a Redis Cluster share queues and locks; what one leaves when it is killed another does', async (t) => {
  const prefix = `${cluster.prefix}app:`;
  const add = (job: { readonly n: number }) => cluster.client.xadd(`${prefix}jobs`, '*', 'body', JSON.stringify(job));
  const machines = [...(await startMachines(t, folder(t, prefix), 2))];
  const began = performance.now();
  const all = (what: string): number[] => machines.flatMap((one) => numbersOf(one, what));
  for (let n = 1; n <= 200; n += 1) await add({ n });
  await poll('all are done', () => all('done').length >= 200);
  t.same(
    all('done').sort((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i + 1),
    'each once',
  );
  for (const one of machines) t.ok(numbersOf(one, 'done').length > 0, 'both work');

  await add({ n: 201, fail: true } as { n: number });
  await poll('a dead letter in another slot', () => all('dead').includes(201));
  t.same(all('dead'), [201]);

  await poll('ticks', () => all('ticked').length >= 4);
  t.ok(all('ticked').length <= (performance.now() - began) / 1000 + 30, 'one runs each');

  await add({ n: 202, hold: true } as { n: number });
  const holder = await poll('it is held', () => machines.find((one) => numbersOf(one, 'begun').includes(202)));
  const heir = machines.find((one) => one !== holder);
  await holder.kill();
  await poll('taken over', () => heir !== undefined && numbersOf(heir, 'begun').includes(202));
  await cluster.client.hset(`${prefix}notes:go`, 'value', 'true', 'version', '1');
  await poll('done', () => heir !== undefined && numbersOf(heir, 'done').includes(202));
  if (heir === undefined) return;
  await poll('counted', async () => (await sumOf(heir, 'wippy_queue_redelivered_total', { queue: 'app:jobs' })) >= 1);
  t.equal((await heir.stop()).code, 0);
  t.equal(await cluster.client.xlen(`${prefix}jobs`), 0);
});
