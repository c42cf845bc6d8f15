import { createServer } from 'node:net';
import { t as root, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { hasCode } from '../../../runtime/redis/failure.ts';
import { redisLink } from '../../../runtime/redis/link.ts';
import { redisScript } from '../../../runtime/redis/script.ts';
import { poll } from '../../harness/poll.ts';
import { startOwnRedis, startRedis } from '../../harness/redis.ts';

const server = await startRedis(root);
const clock = systemClock();
const linkTo = (url: string, connectTimeoutMs = 10_000) =>
  redisLink({ clock, name: 'test', url: () => url, connectTimeoutMs });

test('a server that accepts and says nothing fails the start in time, with its address and without the password', async (t) => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => silent.close());
  const { port } = silent.address() as { port: number };
  const link = linkTo(`redis://user:secret@127.0.0.1:${port}`, 200);
  await t.rejects(link.start(), { message: `redis at 127.0.0.1:${port} does not answer: nothing within 180ms` });
  t.equal(link.isReady, false);
});

test('before the start and after the stop everything is Unavailable; both may come twice', async (t) => {
  const link = linkTo(server.url);
  const ping = () => link.run((redis) => redis.ping());
  const gone = { message: 'redis connection is not started', kind: 'Unavailable', retryable: true };
  await t.rejects(ping(), gone);
  await link.start();
  await link.start();
  t.equal(await ping(), 'PONG');
  link.stop();
  link.stop();
  await t.rejects(ping(), gone);
  await link.start();
  t.equal(await ping(), 'PONG', 'and again');
  link.stop();
});

test('what Redis refuses is Internal with its text; what it cannot do now is Unavailable', async (t) => {
  const link = linkTo(server.url);
  await link.start();
  t.teardown(() => link.stop());
  const key = `${server.prefix}k`;
  await server.client.set(key, 'text');
  const refused = await link
    .run((redis) => redis.hget(key, 'f'))
    .then(
      () => undefined,
      (error: Error) => error,
    );
  t.match(refused, { kind: 'Internal', retryable: false, message: /^redis: WRONGTYPE/ });
  t.ok(hasCode(refused, 'WRONGTYPE'));
  const busy = redisScript(`return redis.error_reply('LOADING Redis is loading the dataset in memory')`);
  await t.rejects(link.script(busy, [], []), { message: /LOADING/, kind: 'Unavailable', retryable: true });
});

test('rule 75: what Redis quotes of an unknown command, keys and values, is not told on', async (t) => {
  const link = linkTo(server.url);
  await link.start();
  t.teardown(() => link.stop());
  const said = await server.client
    .call('NOSUCH', 'planted-key', 'planted-value')
    .catch((error: Error) => error.message);
  t.match(said, /planted-key/, 'it does quote them');
  const refused = await link
    .run((redis) => redis.call('NOSUCH', 'planted-key', 'planted-value'))
    .then(
      () => undefined,
      (error: Error) => error,
    );
  t.match(refused, { kind: 'Internal', message: /^redis: ERR unknown command .NOSUCH.$/ });
  t.equal(refused?.cause, undefined, 'nor by its cause');
});

test('a script is known to a server that was restarted', async (t) => {
  const own = await startOwnRedis(t);
  const seen: string[] = [];
  const link = redisLink({
    clock,
    name: 'test',
    url: () => own.url,
    connectTimeoutMs: 10_000,
    watch: { lost: () => seen.push('lost'), back: () => seen.push('back') },
  });
  await link.start();
  t.teardown(() => link.stop());
  const add = redisScript('return ARGV[1] + ARGV[2]');
  t.equal(await link.script(add, [], [1, 2]), 3);
  t.equal(await link.script(add, [], [3, 4]), 7);
  await own.kill();
  await t.rejects(link.script(add, [], [1, 2]), { message: /redis is not reachable/, kind: 'Unavailable' });
  await own.restart();
  await poll('ready', async () => {
    await link.untilReady(1000);
    return link.isReady;
  });
  t.equal(await link.script(add, [], [5, 6]), 11);
  t.same(seen, ['lost', 'back']);
});
