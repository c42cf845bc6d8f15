import { test } from 'tap';
import { poll } from '../../harness/poll.ts';
import { startProgram } from '../../harness/program.ts';
import { IN_FLIGHT, LAB, type Lab, startCollector, startLab, sum, tracesTo } from './lab.ts';

const status = async (url: string): Promise<number> => {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
};
/** The code of a request that nobody answered. */
const failure = (url: string): Promise<string> =>
  fetch(url).then(
    () => 'answered',
    (error: Error & { cause?: { code?: string } }) => error.cause?.code ?? error.message,
  );

/** A request that is being handled, and what became of it. */
const begun = async (lab: Lab, path: string, route: string): Promise<{ result: Promise<number | string> }> => {
  const result = fetch(lab.url('LAB_PORT', path)).then(
    async (response) => {
      await response.text();
      return response.status;
    },
    (error: Error) => error.message,
  );
  await lab.until(`${path} runs`, (metrics) => sum(metrics, 'wippy_http_requests_in_flight', { route }) === 1);
  return { result };
};
const messages = (lab: Lab, level: string): readonly unknown[] =>
  lab
    .lines()
    .filter((line) => line.level === level)
    .map((line) => line.msg);

test('rules 98, 105, 106: not ready, work ends, a last scrape, the port closes, and the flush takes all', async (t) => {
  const collector = await startCollector(t);
  const lab = await startLab(t, {
    set: {
      ...tracesTo(collector),
      'otel.metrics_enabled': true,
      'otel.metric_export_interval': '10m',
      // Nothing leaves before the stop: 512 spans wait, and those of the slow request.
      'otel.batch.schedule_delay': '10m',
      'otel.batch.max_export_batch_size': 2048,
    },
  });
  t.equal((await lab.send('/many?calls=510')).status, 200);
  t.equal(await status(`${lab.operations}/readyz`), 200);
  const slow = await begun(lab, '/slow?for=1500ms', 'lab:slow.endpoint');
  t.same(collector.requests, []);

  lab.signal('SIGTERM');
  await poll('not ready', async () => (await status(`${lab.operations}/readyz`)) === 503);
  t.equal(await status(`${lab.operations}/healthz`), 200, 'healthy at the same moment');
  t.equal(await failure(lab.url('LAB_PORT', '/hello')), 'ECONNREFUSED', 'no new work');
  t.equal(sum(await lab.scrape(), 'wippy_http_requests_in_flight'), 1, 'the handler still runs, and can be scraped');
  t.same(collector.requests, [], 'and nothing was flushed yet');
  await collector.behave({ delayMs: 300 });
  t.equal(await slow.result, 200, 'what ran has ended');
  await collector.until(() => collector.requests.length > 0);
  t.equal(await failure(`${lab.operations}/healthz`), 'ECONNREFUSED', 'the flush comes after the port was closed');
  t.equal((await lab.exited).code, 0);

  t.equal(collector.spans().length, 514);
  t.equal(collector.spans({ name: 'lab:nothing' }).length, 510);
  t.equal(collector.point('wippy_spans_total', { result: 'exported' }).value, 514, 'the last window counts them');
  t.equal(collector.point('wippy_function_calls', { function_id: 'lab:nothing' }).value, 510);
  t.equal(collector.point('wippy_http_requests_in_flight', { route: 'lab:slow.endpoint' }).value, 0);
  t.same(messages(lab, 'warn'), []);
});

test('rules 4, 107: what outlasts its time is told and ends, and the flush keeps its own budget', async (t) => {
  const collector = await startCollector(t);
  const lab = await startLab(t, {
    set: {
      ...tracesTo(collector),
      'otel.metrics_enabled': true,
      'otel.metric_export_interval': '10m',
      'otel.batch.schedule_delay': '10m',
      'shutdown.timeout': '8s',
      'shutdown.flush_timeout': '7s',
    },
  });
  await collector.behave({ delayMs: 500 });
  const slow = await begun(lab, '/slow?for=60s', 'lab:slow.endpoint');
  const stream = await begun(lab, '/stream', 'lab:stream.endpoint');
  await lab.send('/jobs', { method: 'POST', body: '{"sleep":"60s"}' });
  await lab.until('the job runs', (metrics) => sum(metrics, 'wippy_queue_in_flight') === 1);

  const { code, ms } = await lab.stop();
  t.equal(code, 0);
  t.ok(ms >= 1000, `work got its second: ${ms} ms`);
  t.equal(await slow.result, 503, 'a request that was told to stop');
  t.equal(await stream.result, 200, 'a stream ends as streams do');
  for (const name of IN_FLIGHT) {
    for (const point of collector.points(name)) t.equal(point.value, 0, `${name} ${JSON.stringify(point.attributes)}`);
  }
  t.match(collector.span({ name: 'GET lab:slow.endpoint' }).attributes, { 'http.response.status_code': 503 });
  t.equal(collector.span({ name: 'lab:work' }).status, 'error');
  t.equal(collector.point('wippy_queue_messages_total').attributes.result, 'nack');
  t.same(messages(lab, 'warn'), ['message processed'], 'and the flush was complete');
});

test('rule 108: a dead collector costs its budget and nothing else', async (t) => {
  const deaths = (['refuse', 'hang'] as const).map(async (behaviour) => {
    const collector = await startCollector(t);
    await collector.behave(behaviour);
    const lab = await startLab(t, {
      set: { ...tracesTo(collector), 'shutdown.flush_timeout': '500ms' },
      env: { OTEL_EXPORTER_OTLP_TIMEOUT: '300' },
    });
    for (let i = 1; i <= 3; i++) {
      t.equal((await lab.send('/hello')).status, 200, `${behaviour}: the app serves`);
      // Each is an export of its own; /metrics answers all along.
      await lab.until(
        'the export has failed',
        (now) => sum(now, 'wippy_exporter_calls_total', { result: 'failure' }) >= i,
      );
    }
    const metrics = await lab.scrape();
    const kind = behaviour === 'refuse' ? 'connect' : 'timeout';
    t.ok(sum(metrics, 'wippy_exporter_calls_total', { exporter: 'otlp_traces', result: 'failure', kind }) >= 3);
    t.ok(sum(metrics, 'wippy_component_errors_total', { component: 'otel', kind }) >= 3, 'rule 14');
    t.ok(sum(metrics, 'wippy_component_degraded_seconds_total', { component: 'otel' }) > 0);
    t.equal(sum(metrics, 'wippy_spans_total', { result: 'failed' }), 6);
    const episodes = (): number =>
      messages(lab, 'warn').filter((msg) => String(msg).startsWith('telemetry export fails')).length;
    t.equal(episodes(), 1, `${behaviour}: one warning for the whole episode`);
    await lab.send('/hello');
    const { code, ms } = await lab.stop();
    t.equal(code, 0);
    t.ok(ms < 8000, `${behaviour}: ${ms} ms; the SDK alone takes 8.8 s and more`);
    t.equal(episodes(), 1);
  });
  await Promise.all(deaths);
});

test('rule 108: a collector that dies at the end, with exports of ten seconds under way', async (t) => {
  const collector = await startCollector(t);
  const lab = await startLab(t, {
    set: { ...tracesTo(collector), 'otel.metrics_enabled': true, 'shutdown.flush_timeout': '500ms' },
  });
  await lab.send('/hello');
  await collector.until(() => collector.spans().length === 2);
  await collector.behave('hang');
  await lab.send('/hello');
  await collector.until(() => collector.requests.length === 2);
  const { code, ms } = await lab.stop();
  t.equal(code, 0);
  t.ok(ms >= 400 && ms < 8000, `${ms} ms`);
  t.same(messages(lab, 'warn'), ['telemetry shutdown is incomplete']);
});

test('rule 109: a second signal ends it at once with 1; SIGINT is a stop as well', async (t) => {
  const [first, second] = await Promise.all([startLab(t), startLab(t)]);
  const held = await begun(first, '/slow?for=60s', 'lab:slow.endpoint');
  first.signal('SIGTERM');
  await poll('it drains', async () => (await status(`${first.operations}/readyz`)) === 503);
  const { code, signal, ms } = await first.stop();
  t.same({ code, signal }, { code: 1, signal: null });
  t.ok(ms < 8000, `${ms} ms; the drain would have taken ten seconds`);
  t.type(await held.result, 'string', 'its request was cut');

  await second.send('/hello');
  const stopped = await second.stop('SIGINT');
  t.same({ code: stopped.code, signal: stopped.signal }, { code: 0, signal: null });
});

test('rule 109: a signal during the start is a stop', async (t) => {
  const program = await startProgram(t, LAB, { ports: ['LAB_PORT'], waitUntilReady: false });
  // The first line says that the operations port listens; everything else starts after it.
  await poll('it starts', () => program.stderr.length > 0 || program.exit() !== undefined, { everyMs: 2 });
  const { code, signal } = await program.stop();
  t.same({ code, signal }, { code: 0, signal: null }, program.output());
});

test('rule 104: with telemetry off there is no operations port, and the app serves', async (t) => {
  const program = await startProgram(t, LAB, {
    ports: ['LAB_PORT'],
    set: { 'telemetry.enabled': false },
    waitUntilReady: false,
  });
  await poll('it serves', async () => (await status(program.url('LAB_PORT', '/hello'))) === 200);
  t.equal(await failure(`${program.operations}/metrics`), 'ECONNREFUSED');
  t.equal((await program.stop()).code, 0);
});
