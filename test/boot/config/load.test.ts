import { join } from 'node:path';
import { type Test, test } from 'tap';
import { type ConfigSources, loadConfig } from '../../../boot/config/load.ts';
import { renderProblem } from '../../../runtime/errors.ts';

interface Given extends Partial<Omit<ConfigSources, 'dir'>> {
  /** Text of `perilune.yaml`. */
  readonly file?: string;
}
const load = (t: Test, { file, ...sources }: Given) => {
  const dir = t.testdir(file === undefined ? {} : { 'perilune.yaml': file });
  const loaded = loadConfig({ dir, env: {}, ...sources });
  const texts = (severity: string) => loaded.problems.filter((one) => one.severity === severity).map(renderProblem);
  return { ...loaded, errors: texts('error'), warnings: texts('warning') };
};

test('without a file everything is the default and nothing is said', async (t) => {
  const { config, problems, explicit, origins } = load(t, {});
  t.strictSame(problems, []);
  t.equal(config.telemetry.enabled, false);
  t.equal(config.metrics.namespace, 'wippy');
  t.equal(explicit.size, 0);
  t.strictSame(origins.get('shutdown.timeout'), { from: 'default', where: '' });
});

test('defaults < files < environment < --set, and each value knows where it came from', async (t) => {
  const dir = t.testdir({
    'a.yaml': 'logger:\n  level: debug\n  levels: { queue: warn }\nshutdown: { timeout: 1s }\n',
    'b.yaml': 'logger:\n  encoding: json\n  levels: { kv: error }\nshutdown: { timeout: 2s, flush_timeout: 1s }\n',
  });
  const files = ['a.yaml', 'b.yaml'].map((name) => join(dir, name));
  const { config, origins, problems } = loadConfig({
    dir,
    files,
    env: { LOG_LEVEL: 'WARN', LOG_LEVEL_KV: 'debug', LOG_LEVEL_HTTP_CLIENT: 'error' },
    sets: ['shutdown.timeout=3s'],
  });
  t.strictSame(problems, []);
  t.strictSame(config.logger, {
    level: 'warn',
    levels: { queue: 'warn', kv: 'debug', http_client: 'error' },
    encoding: 'json',
  });
  t.strictSame(config.shutdown, { timeout: 3_000, flush_timeout: 1_000 });
  t.strictSame(origins.get('logger.encoding'), { from: 'file', where: `${files[1]}:2` });
  t.strictSame(origins.get('logger.level'), { from: 'env', where: 'env LOG_LEVEL' });
  t.strictSame(origins.get('shutdown.timeout'), { from: 'set', where: '--set' });
});

test('a key without a value (`otel:`) is not given', async (t) => {
  const { config, problems } = load(t, { file: 'otel:\ntelemetry:\n  enabled:\n' });
  t.strictSame(problems, []);
  t.equal(config.otel.endpoint, 'http://localhost:4318');
});

test('bad input: unknown keys, wrong types and bad values of all files come at once, each with its place', async (t) => {
  const file = [
    'loger: { level: debug }',
    'logger:',
    '  level: loud',
    '  levels: { queue: 5 }',
    'metrics: { max_series: 1.5, namespace: 9x }',
    'telemetry: yes please',
    'shutdown:',
    '  timeout: 30',
    '  flush_timeout: soon',
    'lua: { budget: { cpu: 5 } }',
  ].join('\n');
  const { errors } = load(t, { file, sets: ['otel.sampel_rate=1', 'nonsense', 'events.max_backlog=many'] });
  // In which order the schema tells them is its own affair.
  t.strictSame(
    [...errors].sort(),
    [
      '--set: expected a.b=value, got "nonsense"',
      "perilune.yaml:1:1: loger: unknown key. Did you mean 'logger'?",
      "perilune.yaml:10:18: lua.budget.cpu: unknown key. Did you mean 'cpu_ms'?",
      "--set: otel.sampel_rate: unknown key. Did you mean 'sample_rate'?",
      'perilune.yaml:3:10: logger.level: expected one of debug, info, warn, error, got "loud".',
      'perilune.yaml:4:20: logger.levels.queue: expected one of debug, info, warn, error, got 5.',
      "perilune.yaml:5:40: metrics.namespace: must be letters, digits and '_', not beginning with a digit",
      'perilune.yaml:5:24: metrics.max_series: expected a whole number of at least 1, got 1.5',
      'perilune.yaml:6:12: telemetry: expected a map, got "yes please"',
      '--set: events.max_backlog: expected a number, got "many"',
      'perilune.yaml:8:12: shutdown.timeout: expected a duration with a unit such as 250ms, 5s, 2m or 1h, got 30',
      'perilune.yaml:9:18: shutdown.flush_timeout: expected a duration with a unit such as 250ms, 5s, 2m or 1h, got "soon"',
    ].sort(),
  );
});

test('bad input: malformed YAML, a missing file and a file that is no map are one message each', async (t) => {
  t.strictSame(load(t, { file: 'logger:\n  level: "info\n' }).errors, [
    'perilune.yaml:3:1: not valid YAML: Missing closing "quote.',
  ]);
  t.strictSame(load(t, { file: 'logger: {}\nlogger: {}\n' }).errors, [
    'perilune.yaml:2:1: not valid YAML: Map keys must be unique.',
  ]);
  t.strictSame(load(t, { file: '- a\n' }).errors, [
    `perilune.yaml:1:1: expected a map of sections such as 'logger:', got ["a"]`,
  ]);
  t.strictSame(load(t, { files: ['gone.yaml'] }).errors, [
    'gone.yaml: no such file. Give --config the path of a boot file.',
  ]);
  t.match(load(t, { files: [t.testdir({})] }).errors, [/: cannot be read: EISDIR/]);
});

test('keys of a Wippy boot file that mean nothing here are reported once, together', async (t) => {
  const file =
    'cluster: { a: 1 }\nrelay: { node_name: n, port: 1 }\nlua: { type_system: {} }\nmetrics: { buffer: { size: 1 } }\n';
  const { config, errors, warnings } = load(t, { file });
  t.strictSame(errors, []);
  t.strictSame(warnings, [
    'perilune.yaml:1:1: known from Wippy, without a meaning here, ignored: cluster, lua.type_system, metrics.buffer, relay.port',
  ]);
  t.equal(config.relay.node_name, 'n');
});

test('.wippy.yaml is used where there is no perilune.yaml, and its unknown keys only warn', async (t) => {
  const dir = t.testdir({ '.wippy.yaml': 'logger: { level: debug, colour: red }\n', both: {} });
  const { config, problems } = loadConfig({ dir, env: {} });
  t.equal(config.logger.level, 'debug');
  t.strictSame(problems.map(renderProblem), ['.wippy.yaml:1:25: logger.colour: unknown key.']);
  t.equal(problems[0]?.severity, 'warning');

  const both = t.testdir({ '.wippy.yaml': 'logger: { level: debug }', 'perilune.yaml': 'logger: { level: warn }' });
  t.equal(loadConfig({ dir: both, env: {} }).config.logger.level, 'warn');
});

test('prometheus.enabled and .address are telemetry.enabled and .listen, and keep their own place', async (t) => {
  const { config, origins, problems } = load(t, { file: 'prometheus:\n  enabled: true\n  address: 127.0.0.1:9090\n' });
  t.strictSame(problems, []);
  t.match(config.telemetry, { enabled: true, listen: '127.0.0.1:9090' });
  t.equal(origins.get('telemetry.listen')?.where, 'perilune.yaml:3');
  t.equal(
    load(t, { file: 'prometheus: { enabled: true }', sets: ['telemetry.enabled=false'] }).config.telemetry.enabled,
    false,
  );
  t.equal(
    load(t, { file: 'prometheus: { enabled: true }\ntelemetry: { enabled: false }' }).config.telemetry.enabled,
    true,
  );
  t.strictSame(load(t, { file: 'prometheus: { enabled: 1 }' }).errors, [
    'perilune.yaml:1:24: prometheus.enabled: expected true or false, got 1',
  ]);
});

test('sample_rate below 1 asks for the ratio sampler, unless a sampler is named', async (t) => {
  const sampler = (file: string) => load(t, { file }).config.otel.sampler;
  t.equal(sampler('otel: { enabled: true, sample_rate: 1 }'), 'parentbased_always_on');
  t.equal(sampler('otel: { enabled: true, sample_rate: 0.5 }'), 'parentbased_traceidratio');
  t.equal(sampler('otel: { enabled: true, sample_rate: 0.5, sampler: always_on }'), 'always_on');
});

test('--set takes YAML; where the key is a text, a number is that text', async (t) => {
  const { config, problems } = load(t, {
    sets: [
      'otel.service_version=1.10',
      'metrics.http_exclude=[a, "b:c"]',
      'telemetry={enabled: true, listen: "127.0.0.1:0"}',
    ],
  });
  t.strictSame(problems, []);
  t.equal(config.otel.service_version, '1.10');
  t.strictSame(config.metrics.http_exclude, ['a', 'b:c']);
  t.match(config.telemetry, { enabled: true, listen: '127.0.0.1:0' });
});

test('OTEL_METRICS_EXPORTER=prometheus opens the operations port', async (t) => {
  const enabled = (env: Record<string, string>, file?: string) => load(t, { env, file }).config.telemetry.enabled;
  t.equal(enabled({ OTEL_METRICS_EXPORTER: 'otlp' }), false);
  t.equal(enabled({ OTEL_METRICS_EXPORTER: 'otlp, Prometheus' }), true);
  t.equal(enabled({ OTEL_METRICS_EXPORTER: 'prometheus', OTEL_SDK_DISABLED: 'true' }), false);
  t.equal(enabled({ OTEL_SDK_DISABLED: 'true' }, 'telemetry: { enabled: true }'), true);
});

test('rule 86: a variable beats the file and --set beats both, key by key', async (t) => {
  const file = 'otel: { service_name: shop, service_version: "1" }';
  const env = { OTEL_SERVICE_VERSION: '2' };
  t.match(load(t, { file, env }).config.otel, { service_name: 'shop', service_version: '2' });
  t.match(load(t, { file, env, sets: ['otel.service_version=3'] }).config.otel, {
    service_name: 'shop',
    service_version: '3',
  });
});

test('rule 87: an empty variable counts as unset', async (t) => {
  const env = { LOG_LEVEL: '', LOG_FORMAT: '', OTEL_SERVICE_VERSION: '', LOG_LEVEL_QUEUE: undefined };
  const { config, problems, explicit } = load(t, { file: 'logger: { level: debug }', env });
  t.strictSame(problems, []);
  t.equal(config.logger.level, 'debug');
  t.strictSame([...explicit], ['logger.level']);
  t.equal(load(t, { env: { LOG_FORMAT: 'text' } }).config.logger.encoding, 'console', 'one that is set counts');
});

test('rule 88: an invalid variable gives one warning with its name, its value and what is used', async (t) => {
  const env = { LOG_LEVEL: 'loud', LOG_LEVEL_QUEU: 'debug', LOG_LEVEL_KV: 'x', LOG_FORMAT: 'xml' };
  const { config, errors, warnings } = load(t, { file: 'logger: { level: warn }', env });
  t.strictSame(errors, []);
  t.strictSame(warnings, [
    'environment: LOG_FORMAT: "xml" is not one of json, text; auto is used instead',
    'environment: LOG_LEVEL: "loud" is not one of debug, info, warn, error; warn is used instead',
    'environment: LOG_LEVEL_KV: "x" is not one of debug, info, warn, error; warn is used instead',
    "environment: LOG_LEVEL_QUEU: 'queu' is no subsystem of the log. Did you mean 'queue'? The variable is ignored.",
  ]);
  t.equal(config.logger.level, 'warn');
  t.strictSame(load(t, { env: { LOG_LEVEL: 'debug' } }).warnings, [], 'a valid one says nothing');
});

test('rule 96: what the operations port cannot be given is refused by the file', async (t) => {
  const errors = (telemetry: string) => load(t, { file: `telemetry:\n  enabled: true\n${telemetry}` }).errors;
  t.strictSame(errors('  paths: { metrics: metrics }'), [
    "perilune.yaml:3:21: telemetry.paths.metrics: must be an absolute path starting with '/'",
  ]);
  for (const bad of ['/a b', '/a?b', '/a#b', '/a%20', '/a\\u0001']) {
    t.strictSame(errors(`  paths: { readyz: "${bad}" }`), [
      "perilune.yaml:3:20: telemetry.paths.readyz: must hold no white space, control character, '?', '#' or '%'",
    ]);
  }
  t.strictSame(errors('  paths: { readyz: /metrics }'), [
    'perilune.yaml:3:20: telemetry.paths.readyz: must differ from telemetry.paths.metrics; both are /metrics',
  ]);
  for (const bad of ['9464', 'localhost', 'localhost:', ':9464', 'a:65536', 'a:-1', 'http://a:1']) {
    t.strictSame(errors(`  listen: "${bad}"`), [
      `perilune.yaml:3:11: telemetry.listen: must be host:port with a port from 0 to 65535, got "${bad}"`,
    ]);
  }
  for (const good of ['127.0.0.1:0', '[::1]:9464', 'localhost:65535']) t.strictSame(errors(`  listen: "${good}"`), []);
});

test('what comes in a later version is refused, and says so', async (t) => {
  const { errors } = load(t, { file: 'otel:\n  enabled: true\n  protocol: grpc\n  temporal: { enabled: true }\n' });
  t.strictSame(errors, [
    'perilune.yaml:3:13: otel.protocol: grpc comes in a later version. Write http/protobuf or http/json.',
    'perilune.yaml:4:24: otel.temporal.enabled: Temporal comes in a later version. Write false, or remove the key.',
  ]);
});

test('a switch that has no effect yet warns instead of pretending', async (t) => {
  const { warnings, errors } = load(t, { file: 'metrics: { semconv: true }\n' });
  t.strictSame(errors, []);
  t.match(warnings, [
    /perilune.yaml:1:\d+: metrics.semconv: the OpenTelemetry standard metrics come in a later version/,
  ]);
  t.strictSame(load(t, { file: 'metrics: { semconv: false }\n' }).warnings, []);
});

test('two interceptors of one order are an error that names both; swapped orders are fine', async (t) => {
  const { errors } = load(t, { file: 'interceptors:\n  guard: { order: 50 }\n' });
  t.strictSame(errors, [
    "perilune.yaml:2:19: interceptors.guard.order: interceptors 'metrics' and 'guard' both have order 50 (metrics.interceptor.order, interceptors.guard.order). Give each its own.",
  ]);
  const swapped = 'interceptors: { guard: { order: 50 } }\nmetrics: { interceptor: { order: 10 } }';
  t.strictSame(load(t, { file: swapped }).errors, []);
  t.strictSame(load(t, { file: 'interceptors: { guard: { order: 50, enabled: false } }' }).errors, []);
});

test('an interceptor that is switched off leaves its order to others', async (t) => {
  const file = (enabled: boolean) =>
    `metrics: { interceptor: { enabled: ${enabled} } }\ninterceptors: { guard: { order: 50 } }`;
  t.strictSame(load(t, { file: file(false) }).errors, []);
  t.equal(load(t, { file: file(true) }).errors.length, 1);
});

test('rule 126: the operations port is on loopback by default; another address is a choice', async (t) => {
  t.match(load(t, {}).config.telemetry.listen, /^127\.0\.0\.1:/);
  const { config, errors } = load(t, { file: 'telemetry: { enabled: true, listen: "0.0.0.0:9464" }' });
  t.strictSame(errors, []);
  t.equal(config.telemetry.listen, '0.0.0.0:9464');
});

test('rule 127: a disabled block is checked for key names and value types only', async (t) => {
  const block = (enabled: boolean) =>
    `otel:\n  enabled: ${enabled}\n  sample_rate: 7\n  protocol: grpc\n  batch: { export_timeout: soon }\n  interceptor: { order: 50 }\n`;
  t.strictSame(load(t, { file: block(false) }).problems, []);
  t.equal(load(t, { file: block(true) }).errors.length, 4);
  const telemetry = 'telemetry: { enabled: false, listen: nowhere, paths: { metrics: x } }';
  t.strictSame(load(t, { file: telemetry }).problems, []);
  t.equal(load(t, { file: telemetry.replace('false', 'true') }).errors.length, 2);

  const { errors } = load(t, { file: 'otel:\n  enabled: false\n  sample_rate: "7"\n  endpont: x\n' });
  t.strictSame(errors, [
    "perilune.yaml:4:3: otel.endpont: unknown key. Did you mean 'endpoint'?",
    'perilune.yaml:3:16: otel.sample_rate: expected a number, got "7"',
  ]);
  const switchedOn = load(t, { file: 'otel: { sample_rate: 7 }', env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x' } });
  t.equal(switchedOn.errors.length, 1, 'a variable that switches the block on has it checked wholly');
});

test('an unknown subsystem in logger.levels warns with the nearest', async (t) => {
  t.strictSame(load(t, { file: 'logger: { levels: { quue: debug } }' }).warnings, [
    "perilune.yaml:1:27: logger.levels.quue: 'quue' is no subsystem of the log. Did you mean 'queue'?",
  ]);
});

test('a key named __proto__ is an unknown key like any other', async (t) => {
  t.strictSame(load(t, { file: '__proto__: { logger: { level: debug } }' }).errors, [
    'perilune.yaml:1:1: __proto__: unknown key.',
  ]);
  t.equal(load(t, { file: '__proto__: { logger: { level: debug } }' }).config.logger.level, 'info');
});
