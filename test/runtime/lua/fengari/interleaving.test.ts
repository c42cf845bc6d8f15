import { test } from 'tap';
import { functionsFile, programIn } from '../../../harness/in-process.ts';
import { poll } from '../../../harness/poll.ts';

const REQUESTS = 200;

/** Waits of different lengths around every line and call, so that no two requests go through in the same order. */
const HANDLER = `local req, res = http.request(), http.response()
  local n = tonumber(req:query('n'))
  local function pause(k) time.sleep(((n * 7 + k * 13) % 17) * time.MILLISECOND) end
  logger:info('begin', {n = n})
  pause(1)
  local done = channel.new(3)
  for branch = 1, 2 do
    coroutine.spawn(function()
      pause(branch); logger:info('branch', {n = n}); pause(branch + 2)
      done:send(funcs.call('app:leaf', n, branch))
    end)
  end
  local inner = coroutine.wrap(function() pause(5); logger:info('inner', {n = n}); coroutine.yield(funcs.call('app:leaf', n, 3)) end)
  local sum = pcall(pause, 6) and inner()
  queue.publish('app:jobs', {n = n})
  for _ = 1, 2 do sum = sum + done:receive() end
  logger:info('end', {n = n})
  res:write_json({n = n, sum = sum})`;
const LEAF = `local n, branch = ...; time.sleep(((n + branch) % 5) * time.MILLISECOND); logger:info('leaf', {n = n}); return n`;
const WORK = `local got = ...; time.sleep((got.n % 7) * time.MILLISECOND); logger:info('work', {n = got.n})`;

const APP = () => {
  const modules = ['http', 'time', 'logger', 'funcs', 'queue'];
  const file = JSON.parse(
    functionsFile({
      main: { body: HANDLER, more: { modules } },
      leaf: { body: LEAF, more: { modules, pool: { type: 'lazy', max_size: 50 } } },
      work: { body: WORK, more: { modules } },
    }),
  );
  file.entries.push(
    { name: 'gateway', kind: 'http.service', addr: '127.0.0.1:0', lifecycle: { auto_start: true } },
    { name: 'api', kind: 'http.router', meta: { server: 'app:gateway' } },
    {
      name: 'main.endpoint',
      kind: 'http.endpoint',
      meta: { router: 'app:api' },
      method: 'GET',
      path: '/',
      func: 'app:main',
    },
    { name: 'driver', kind: 'queue.driver.memory', lifecycle: { auto_start: true } },
    { name: 'jobs', kind: 'queue.queue', driver: 'app:driver' },
    {
      name: 'consumer',
      kind: 'queue.consumer',
      queue: 'app:jobs',
      func: 'app:work',
      concurrency: 20,
      lifecycle: { auto_start: true },
    },
  );
  return JSON.stringify(file);
};
const traceOf = (n: number): string => (n + 1).toString(16).padStart(32, '0');

test('rule 53: coroutines of 200 requests interleaved, each line and each span under its own trace', async (t) => {
  const program = await programIn(t, t.testdir({ '_index.yaml': APP() }));
  const url = program.url('app:gateway');
  const answers = await Promise.all(
    Array.from({ length: REQUESTS }, async (_, n) => {
      const response = await fetch(`${url}/?n=${n}`, {
        headers: { traceparent: `00-${traceOf(n)}-${'b'.repeat(16)}-01` },
      });
      return response.json();
    }),
  );
  t.same(
    answers,
    Array.from({ length: REQUESTS }, (_, n) => ({ n, sum: 3 * n })),
  );
  const spans = await poll('every span', () => {
    const all = program.recorder.spans();
    return all.length >= REQUESTS * 7 && all;
  });
  t.equal(spans.length, REQUESTS * 7);
  const byId = new Map(spans.map((span) => [span.spanId, span]));

  const lines = program.lines().filter(({ subsystem }) => subsystem === 'lua');
  t.equal(lines.length, REQUESTS * 9);
  /** The function whose span each line stands under. */
  const under: Record<string, string> = {
    begin: 'app:main',
    branch: 'app:main',
    inner: 'app:main',
    end: 'app:main',
    leaf: 'app:leaf',
    work: 'app:work',
  };
  const strays = lines.filter((line) => {
    const span = byId.get(String(line.span_id));
    return (
      line.trace_id !== traceOf(Number(line.n)) ||
      span?.traceId !== line.trace_id ||
      span?.name !== under[String(line.msg)]
    );
  });
  t.same(strays, [], 'every line has the ids of the call that wrote it');

  const requests = program.lines().filter(({ msg, subsystem }) => msg === 'request' && subsystem === 'http');
  t.equal(requests.length, REQUESTS);
  t.equal(new Set(requests.map((line) => line.trace_id)).size, REQUESTS);

  const parents: Record<string, string> = {
    'app:main': 'GET app:main.endpoint',
    'app:leaf': 'app:main',
    'app:jobs.publish': 'app:main',
    'app:work': 'app:jobs.publish',
  };
  for (const [n, own] of Object.entries(Object.groupBy(spans, (span) => span.traceId))) {
    t.same(
      own?.map(({ name }) => name).sort(),
      ['GET app:main.endpoint', 'app:jobs.publish', 'app:leaf', 'app:leaf', 'app:leaf', 'app:main', 'app:work'],
      `trace ${n} is whole`,
    );
    const wrong = own?.filter((span) => {
      const parent = byId.get(span.parentSpanId);
      return (
        parents[span.name] !== undefined && (parent?.name !== parents[span.name] || parent?.traceId !== span.traceId)
      );
    });
    t.same(wrong, [], `and each span has the parent of its own call in trace ${n}`);
  }

  // They did interleave: between the first and the last line of most requests stand lines of others.
  const position = (n: number, msg: string) => lines.findIndex((line) => line.n === n && line.msg === msg);
  const spread = Array.from({ length: REQUESTS }, (_, n) => position(n, 'end') - position(n, 'begin'));
  t.ok(spread.filter((distance) => distance > 50).length > REQUESTS / 2, `${spread.slice(0, 5)} lines apart`);
});
