import { t as root, type Test, test } from 'tap';
import { freePort } from '../harness/free-port.ts';
import { startRedis } from '../harness/redis.ts';
import { run } from './cli-app.ts';

const server = await startRedis(root);
let apps = 0;

/** An app with `app:jobs` and its dead letters on Redis, and one queue in memory. Its driver takes the url from a variable. */
const setup = (t: Test) => {
  apps += 1;
  const prefix = `${server.prefix}${apps}:`;
  const dir = t.testdir({
    '_index.yaml': `version: "1.0"
namespace: app
entries:
  - { name: broker, kind: queue.driver.redis, url_env: QUEUE_URL, prefix: "${prefix}" }
  - { name: jobs, kind: queue.queue, driver: broker }
  - { name: dead, kind: queue.queue, driver: broker, queue_name: buried }
  - { name: memory, kind: queue.driver.memory }
  - { name: local, kind: queue.queue, driver: memory }
`,
  });
  const letter = (id: string, headers: object) =>
    server.client.xadd(
      `${prefix}buried`,
      '*',
      'id',
      id,
      'body',
      `{"of":"${id}"}`,
      'headers',
      JSON.stringify(headers),
      'published_at',
      '1700000000123',
      'attempt',
      '1',
      'traceparent',
      'kept',
    );
  const queue = (action: string, name = 'app:dead', ...more: string[]) =>
    run(['queue', action, dir, name, ...more], { QUEUE_URL: server.url });
  return { dir, prefix, letter, queue };
};
const WHY = {
  x_dead_letter_queue: 'app:jobs',
  x_dead_letter_reason: 'no\nluck',
  x_dead_letter_kind: 'Internal',
  x_dead_letter_attempts: 5,
  mine: 1,
};
const LINE = 'a\t2023-11-14T22:13:20.123Z\t5\tno luck';

test('queue list: id, time, attempt and reason a line; delayed ones too', async (t) => {
  const { queue, letter, prefix } = setup(t);
  t.same((await queue('list')).out, [], 'nothing yet, not even a stream');
  await letter('a', WHY);
  await letter('b', {});
  await server.client.zadd(
    `{${prefix}buried}:delayed`,
    1,
    JSON.stringify(['id', 'late', 'body', '1', 'published_at', '1700000000123']),
  );
  const { code, out, err } = await queue('list');
  t.equal(code, 0);
  t.same(err, []);
  t.same(out, [LINE, 'b\t2023-11-14T22:13:20.123Z\t1\t-', 'late\t2023-11-14T22:13:20.123Z\t1\t-']);
  const json = (await queue('list', 'app:dead', '--json')).out.map((line) => JSON.parse(line));
  t.same(json[0], { id: 'a', time: '2023-11-14T22:13:20.123Z', attempt: 5, reason: 'no\nluck' });
  t.equal(json.length, 3);
  t.equal(await server.client.xlen(`${prefix}buried`), 2, 'nothing is taken');
});

test('queue peek: the first with its headers and its body', async (t) => {
  const { queue, letter } = setup(t);
  await letter('a', WHY);
  await letter('b', {});
  const { out } = await queue('peek');
  t.equal(out[0], LINE);
  t.match(JSON.parse(out[1] ?? ''), WHY);
  t.same(out.slice(2), ['{"of":"a"}']);
  const [json] = (await queue('peek', 'app:dead', '--json')).out.map((line) => JSON.parse(line));
  t.match(json, { id: 'a', headers: WHY, body: '{"of":"a"}' });
  t.equal((await queue('peek', 'app:dead', 'b')).out.at(-1), '{"of":"b"}', 'or one by its id');
});

test('queue: nothing of a foreign message is a command to the terminal, and no time is too late for a date', async (t) => {
  const { queue, prefix } = setup(t);
  const reason = JSON.stringify({ x_dead_letter_reason: 'so\u001b[31m red\u0007' });
  const fields = [
    'id',
    'a\tb\u001b]0;x\u0007',
    'body',
    'raw\u001b[2J\nline',
    'headers',
    reason,
    'published_at',
    '1e300',
  ];
  await server.client.xadd(`${prefix}buried`, '1700000000123-0', ...fields);
  const { code, out, err } = await queue('peek');
  t.same([code, err], [0, []]);
  t.same(out, [
    'a b\\x1b]0;x\\x07\t2023-11-14T22:13:20.123Z\t1\tso\\x1b[31m red\\x07',
    '{"timestamp":1700000000,"x_dead_letter_reason":"so\\u001b[31m red\\u0007"}',
    'raw\\x1b[2J',
    'line',
  ]);
});

test('queue replay: back to where it came from, as a first attempt', async (t) => {
  const { queue, letter, prefix } = setup(t);
  await letter('a', WHY);
  await letter('b', WHY);
  const one = await queue('replay', 'app:dead', 'b');
  t.equal(one.code, 0);
  t.match(one.out, [/^b\t/]);
  const [entry] = await server.client.xrange(`${prefix}jobs`, '-', '+');
  const fields = new Map<string, string>();
  for (const [i, name] of (entry?.[1] ?? []).entries()) if (i % 2 === 0) fields.set(name, entry?.[1][i + 1] ?? '');
  t.same(JSON.parse(fields.get('headers') ?? ''), { mine: 1, timestamp: 1700000000 });
  t.same(
    [fields.get('id'), fields.get('body'), fields.get('attempt'), fields.get('traceparent')],
    ['b', '{"of":"b"}', undefined, 'kept'],
  );
  t.match((await queue('replay')).out, [/^a\t/], 'all that is left');
  t.same([await server.client.xlen(`${prefix}buried`), await server.client.xlen(`${prefix}jobs`)], [0, 2]);
});

test('queue replay: what cannot go back stays, and stderr says why', async (t) => {
  const { queue, letter, prefix } = setup(t);
  await letter('no-letter', {});
  await letter('gone', { ...WHY, x_dead_letter_queue: 'app:gone' });
  await letter('other', { ...WHY, x_dead_letter_queue: 'app:local' });
  const { code, out, err } = await queue('replay');
  t.equal(code, 1);
  t.same(out, []);
  t.match(err, [
    /^no-letter: .*no dead letter/,
    /^gone: .*app:gone, which the app does not declare/,
    /^other: .*driver is another one/,
  ]);
  t.equal(await server.client.xlen(`${prefix}buried`), 3);
});

test('queue: a queue in memory, an unknown one and wrong words exit 2; no Redis exits 1', async (t) => {
  const { queue, dir } = setup(t);
  const memory = await queue('list', 'app:local');
  t.equal(memory.code, 2);
  t.match(memory.err.join(), /lives in the running program/);
  const unknown = await queue('list', 'app:x');
  t.equal(unknown.code, 2);
  t.match(unknown.err.join(), /app:x: no such queue\. There are: app:dead, app:jobs, app:local/);
  for (const words of [['queue'], ['queue', 'drop', dir, 'app:dead'], ['queue', 'list', dir]]) {
    t.equal((await run(words)).code, 2);
  }
  const down = await run(['queue', 'list', dir, 'app:dead'], { QUEUE_URL: `redis://127.0.0.1:${await freePort()}` });
  t.equal(down.code, 1);
  t.match(down.err.join(), /does not answer/);
  const unset = await run(['queue', 'list', dir, 'app:dead']);
  t.equal(unset.code, 1);
  t.match(unset.err.join(), /app:broker: url_env: variable QUEUE_URL is not set/);
});
