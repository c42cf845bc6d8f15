import { t as root, test } from 'tap';
import { leavesOf } from '../../../boot/config/leaves.ts';
import { bootSchema } from '../../../boot/config/schema.ts';
import { select, total } from '../../harness/prometheus-text.ts';
import { FIXTURE, load, observe } from './observe.ts';

root.setTimeout(600_000);

const BY_DEFAULT = [
  'header traceparent',
  'line http',
  'line queue',
  'metric client',
  'metric consume',
  'metric function',
  'metric http',
  'metric kv',
  'metric lua',
  'metric own',
  'metric publish',
  'port',
  'span client',
  'span consume',
  'span function',
  'span http',
  'span publish',
];
const spans = BY_DEFAULT.filter((word) => word.startsWith('span '));

/** Each switch flipped: what goes, and what comes. Nothing else may change. */
const FLIPPED: Readonly<Record<string, { lost?: readonly string[]; gained?: readonly string[] }>> = {
  'metrics.interceptor.enabled=false': {
    lost: ['metric client', 'metric consume', 'metric function', 'metric http', 'metric kv', 'metric publish'],
  },
  'telemetry.enabled=false': { lost: ['port', ...BY_DEFAULT.filter((word) => word.startsWith('metric '))] },
  'otel.enabled=false': { lost: [...spans, 'header traceparent'] },
  'otel.traces_enabled=false': { lost: [...spans, 'header traceparent'] },
  'otel.metrics_enabled=true': { gained: ['pushed metrics'] },
  'otel.interceptor.enabled=false': { lost: ['span function', 'span consume'] },
  'otel.http.enabled=false': { lost: ['span http', 'span client', 'header traceparent'] },
  'otel.http.inject_headers=false': { lost: ['header traceparent'] },
  'otel.http.exclude=[/all]': { lost: ['span http', 'header traceparent'] },
  'otel.queue.enabled=false': { lost: ['span publish'] },
  'otel.kv.spans=true': { gained: ['span kv'] },
  'interceptors.logging.enabled=false': { lost: ['line http', 'line queue'] },
  'logger.levels.queue=error': { lost: ['line queue'] },
  'logger.level=warn': { lost: ['line http', 'line queue'] },
};

/** Keys whose effect other tests of this folder show, or whose surface or interceptor a later version brings. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'interceptors.guard.enabled': 'orders.test.ts',
  'otel.http.extract_headers': 'below',
  'otel.temporal.enabled': 'below: refused',
  'otel.logs_enabled': 'below: a warning',
  'interceptors.retry.enabled': 'accepted; the interceptor comes with the hot path',
  'interceptors.timeout.enabled': 'accepted; the interceptor comes with the hot path',
  'otel.process.enabled': 'accepted; processes come later',
  'otel.process.trace_lifecycle': 'accepted; processes come later',
  'otel.sql.spans': 'accepted; databases come later',
  'otel.cdc.spans': 'accepted; change capture comes later',
};

test('rule 51: everything is on by default but what says otherwise', async (t) => {
  const { words } = await observe(t, []);
  t.same([...words].sort(), BY_DEFAULT);
});

for (const [set, { lost = [], gained = [] }] of Object.entries(FLIPPED)) {
  test(`rule 51: ${set} has its effect, and no other`, async (t) => {
    const { words } = await observe(t, [set]);
    t.same([...words].sort(), [...BY_DEFAULT.filter((word) => !lost.includes(word)), ...gained].sort());
  });
}

test('rule 51: every switch of the boot file is in the tables of this test', async (t) => {
  const tested = new Set([...Object.keys(FLIPPED).map((set) => set.split('=')[0]), ...Object.keys(ELSEWHERE)]);
  const switches = leavesOf(bootSchema, bootSchema.parse({}))
    .map(([path]) => path)
    .filter((path) => /(^|[._])(enabled|spans|extract_headers|inject_headers|trace_lifecycle)$/.test(path))
    .filter((path) => !path.startsWith('prometheus.'));
  t.ok(switches.length > 15);
  for (const path of switches) t.ok(tested.has(path), path);
});

test('keys of later versions are accepted without effect', async (t) => {
  const later = Object.entries(ELSEWHERE).filter(([, why]) => why.startsWith('accepted'));
  const sets = later.map(([path]) => `${path}=${path.endsWith('spans')}`);
  const { words } = await observe(t, [...sets, 'interceptors.retry.order=21', 'interceptors.timeout.order=31']);
  t.same([...words].sort(), BY_DEFAULT);
});

test('rule 51: with extract_headers off the trace of a request is its own, with a link to the one that came in', async (t) => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
  const on = await observe(t, [], { headers });
  t.equal(on.collector.span({ name: 'GET app:all.endpoint' }).traceId, traceId);
  const off = await observe(t, ['otel.http.extract_headers=false'], { headers });
  const span = off.collector.span({ name: 'GET app:all.endpoint', parent: null });
  t.not(span.traceId, traceId);
  t.match(span.links, [{ traceId }]);
});

test('rule 51: metrics.http_exclude leaves out one route, metrics.namespace renames all', async (t) => {
  const { metrics } = await observe(t, ['metrics.http_exclude=[app:all.endpoint]']);
  if (metrics === undefined) throw new Error('there is a scrape');
  t.same(select(metrics, 'wippy_http_requests_total', { route: 'app:all.endpoint' }), []);
  t.equal(select(metrics, 'wippy_http_requests_total', { route: 'app:hello.endpoint' }).length, 1);
  const renamed = await observe(t, ['metrics.namespace=shop'], { namespace: 'shop' });
  t.same([...renamed.words].sort(), BY_DEFAULT);
});

test('rule 59: metrics and otel as middleware of a router add nothing: one span, one count', async (t) => {
  const { metrics, collector } = await observe(t, [], { overrides: ['app:api:middleware=[metrics, otel]'] });
  t.equal(collector.spans({ name: 'GET app:all.endpoint' }).length, 1);
  const labels = { route: 'app:all.endpoint', status: '200' };
  t.equal(metrics && total(metrics, 'wippy_http_requests_total', labels), 1);
});

test('prometheus.enabled and prometheus.address are other names of telemetry.*', async (t) => {
  const { config } = load(t.testdir(FIXTURE), ['prometheus.enabled=true', 'prometheus.address=127.0.0.1:0']).loaded;
  t.match(config.telemetry, { enabled: true, listen: '127.0.0.1:0' });
});

test('surfaces.<name>: false refuses the entry kinds of that surface and names the key', async (t) => {
  const dir = t.testdir(FIXTURE);
  for (const [name, kind] of [
    ['function', 'function.lua'],
    ['queue', 'queue.consumer'],
    ['http', 'http.service'],
    ['kv', 'store.memory'],
  ] as const) {
    const { problems } = load(dir, [`surfaces.${name}=false`]);
    const refused = problems.filter(({ severity, message }) => severity === 'error' && message.includes(kind));
    t.ok(refused.length > 0, kind);
    for (const problem of refused) t.match(`${problem.path} ${problem.message}`, new RegExp(`surfaces\\.${name}`));
  }
  for (const name of ['process', 'schedule', 'sql', 'cdc', 'events']) {
    t.same(load(dir, [`surfaces.${name}=false`]).problems, [], `${name} has no entries here`);
  }
});

test('surfaces.<name>: false refuses its modules as well, with an error that names the key', async (t) => {
  const entry = 'name: main, kind: function.lua, source: "return function() end", method: main, modules: [events]';
  const dir = t.testdir({ '_index.yaml': `namespace: app\nentries:\n  - { ${entry} }\n` });
  t.same(load(dir, []).problems, []);
  t.match(load(dir, ['surfaces.events=false']).problems, [
    {
      severity: 'error',
      file: '_index.yaml',
      line: 3,
      message: "module 'events' is switched off by surfaces.events: false",
    },
  ]);
});

test('what a later version brings is refused or warned about, not ignored', async (t) => {
  const dir = t.testdir(FIXTURE);
  const { problems } = load(dir, ['otel.enabled=true', 'otel.temporal.enabled=true']);
  t.match(problems, [{ path: 'otel.temporal.enabled', severity: 'error' }]);
  t.match(load(dir, ['otel.enabled=true', 'otel.logs_enabled=true']).otel.warnings, [/OTLP logs come with a later/]);
});
