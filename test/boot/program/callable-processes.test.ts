import { test } from 'tap';
import { loadApp } from '../../../boot/app.ts';
import { renderProblem } from '../../../runtime/errors.ts';
import { poll } from '../../harness/poll.ts';
import { startProgram } from '../../harness/program.ts';
import { type Line, startCollector, tracesTo } from './lab.ts';

test('processes-declarations.md, section 6: processes behind endpoints and consumers', async (t) => {
  const collector = await startCollector(t);
  const program = await startProgram(t, 'test/boot/apps/callable', { ports: ['PORT_WEB'], set: tracesTo(collector) });
  const lines = () => program.stderr.map((line) => JSON.parse(line) as Line);
  const line = (msg: string) => poll(msg, () => lines().find((one) => one.msg === msg) ?? false);

  const answer = await fetch(program.url('PORT_WEB', '/answer?name=ann'));
  t.equal(answer.status, 200);
  const { name, pid } = (await answer.json()) as { name: string; pid: string };
  t.equal(name, 'ann', 'it has the request and the response of its caller');
  t.match(pid, /@call:hosts\.web\|0x[0-9a-f]{5,}\}$/, 'on its own host, which its server has started');

  const broken = await fetch(program.url('PORT_WEB', '/broken'));
  t.same([broken.status, await broken.text()], [500, 'out of order']);

  const leaving = new AbortController();
  const left = fetch(program.url('PORT_WEB', '/patient'), { signal: leaving.signal });
  await line('waiting');
  leaving.abort();
  await t.rejects(left, { name: 'AbortError' });
  t.match(await line('asked to end'), { kind: 'pid.cancel', reason: 'caller context canceled' });
  const cancelled = await line('process cancelled');
  t.match(cancelled, { process: 'call:patient', reason: 'caller context canceled', level: 'info' });
  const request = await poll(
    'its line',
    () => lines().find((one) => one.subsystem === 'http' && one.status === 499) ?? false,
  );
  t.equal(request.level, 'info', 'no error of the program');

  t.equal((await fetch(program.url('PORT_WEB', '/jobs'), { method: 'POST' })).status, 200);
  t.match(await line('worked'), { n: 7, pid: /@call:hosts\.jobs\|0x/, message: /^(?!none$)./ });
  t.match(await line('message processed'), { function_id: 'call:work', result: 'ack' });

  t.equal((await program.stop()).code, 0);
  t.equal(collector.spans({ name: 'call:patient.cancel' }).length, 1, 'one span of the cancel');
});

const withoutHost = (t: { testdir(files: Record<string, string>): string }, entry: string) => {
  const dir = t.testdir({
    '_index.yaml': `namespace: app
entries:
  - { name: caller, ${entry} }
  - { name: actor, kind: process.lua, source: "return function() end" }
  - { name: called, kind: process.lua, source: "return function() end", meta: { default_host: host } }
  - { name: host, kind: process.host }
  - { name: web, kind: http.service, addr: ":0" }
  - { name: api, kind: http.router, meta: { server: web } }
  - { name: memory, kind: queue.driver.memory }
  - { name: jobs, kind: queue.queue, driver: memory }
`,
  });
  return loadApp({ dir, configFiles: [], sets: [], overrides: [], variables: {} }).problems.map(renderProblem);
};

test('bad input: a process without a default host behind an endpoint or a consumer', async (t) => {
  for (const entry of [
    'kind: http.endpoint, meta: { router: api }, method: GET, path: /x, func: ',
    'kind: queue.consumer, queue: jobs, func: ',
  ]) {
    const problems = withoutHost(t, `${entry}actor`);
    t.match(problems, [
      /^_index\.yaml:3:\d+: entries\[0\]\.func: app:caller refers to app:actor, a process\.lua without meta\.default_host\. Give it one/,
    ]);
    t.equal(problems.length, 1);
    t.same(withoutHost(t, `${entry}called`), [], 'with one it is fine');
  }
});
