import { t as root, type Test, test } from 'tap';
import { poll } from '../../harness/poll.ts';
import { startProgram } from '../../harness/program.ts';
import { total } from '../../harness/prometheus-text.ts';
import { startRedis } from '../../harness/redis.ts';

const server = await startRedis(root);

/** The app `shared-queue`, as often as a test starts it, on keys that only the test has. */
const shared = (t: Test) => {
  const prefix = `${server.prefix}${t.name.slice(0, 4)}:`;
  const stream = `${prefix}jobs`;
  const note = (key: string) => server.client.hget(`${prefix}notes:${key}`, 'value');
  return {
    stream,
    start: () =>
      startProgram(t, 'test/boot/apps/shared-queue', {
        env: { SHARED_REDIS_URL: server.url, SHARED_PREFIX: prefix },
      }),
    add: (job: object) => server.client.xadd(stream, '*', 'body', JSON.stringify(job)),
    note,
    noted: (key: string) => poll(`${key} is noted`, async () => (await note(key)) ?? undefined),
    go: () => server.client.hset(`${prefix}notes:go`, 'value', 'true', 'version', '1'),
    isEmpty: () => poll('the stream is empty', async () => (await server.client.xlen(stream)) === 0),
    deadLetters: () => server.client.xlen(`${prefix}dead`),
  };
};

test('a program that is killed in the middle of a message: another one takes it over', async (t) => {
  const app = shared(t);
  const first = await app.start();
  await app.add({ name: 'a', hold: true });
  t.equal(await app.noted('begun:a'), '1');
  await first.kill();
  const second = await app.start();
  await poll('taken over', async () => (await app.note('begun:a')) === '2');
  const meanwhile = await second.scrape();
  t.equal(total(meanwhile, 'wippy_queue_in_flight', { queue: 'shared:jobs' }), 1);
  await app.go();
  t.equal(await app.noted('done:a'), '2');
  await app.isEmpty();
  const metrics = await poll('settled', async () => {
    const now = await second.scrape();
    return total(now, 'wippy_queue_in_flight', { queue: 'shared:jobs' }) === 0 && now;
  });
  t.equal(total(metrics, 'wippy_queue_redelivered_total', { queue: 'shared:jobs' }), 1);
  t.equal(total(metrics, 'wippy_queue_messages_total', { queue: 'shared:jobs', result: 'ack' }), 1);
  t.equal((await second.stop()).code, 0);
});

test('two programs share a queue: each message is handled once, and what one leaves at its stop the other does', async (t) => {
  const app = shared(t);
  const [one, two] = [await app.start(), await app.start()];
  const names = Array.from({ length: 300 }, (_, i) => `n${i}`);
  for (const name of names) await app.add({ name });
  await app.isEmpty();
  const acked = async (program: typeof one) =>
    total(await program.scrape(), 'wippy_queue_messages_total', { queue: 'shared:jobs', result: 'ack' }) ?? 0;
  const counts = await poll('all are counted', async () => {
    const both = [await acked(one), await acked(two)] as const;
    return both[0] + both[1] >= 300 && both;
  });
  t.equal(counts[0] + counts[1], 300);
  t.ok(counts[0] > 0 && counts[1] > 0, `both work: ${counts}`);
  t.equal(
    (await Promise.all(names.map((name) => app.note(`done:${name}`)))).filter((done) => done === '1').length,
    300,
  );

  for (let i = 0; i < 40; i += 1) await app.add({ name: `held${i}`, hold: true });
  await app.noted('begun:held0');
  const stopping = one.stop();
  await app.go();
  t.equal((await stopping).code, 0);
  for (let i = 0; i < 40; i += 1) t.equal(await app.noted(`done:held${i}`), '1');
  await app.isEmpty();
  t.equal(
    total(await two.scrape(), 'wippy_queue_redelivered_total', { queue: 'shared:jobs' }) ?? 0,
    0,
    'nothing was left to the timeout',
  );
  t.equal((await two.stop()).code, 0);
});

test('what always fails ends in the dead letters', async (t) => {
  const app = shared(t);
  const program = await app.start();
  await app.add({ name: 'bad', fail: true });
  await poll('dead', async () => (await app.deadLetters()) === 1);
  await app.isEmpty();
  t.equal(await app.note('begun:bad'), '3');
  await program.stop();
});
