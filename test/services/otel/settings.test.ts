import { test } from 'tap';
import { resolveOtelSettings } from '../../../services/otel/settings.ts';
import type { OtelSection } from '../../../services/otel/settings-types.ts';
import type { Variables } from '../../../services/otel/variables.ts';

const settingsOf = (file: OtelSection, variables: Variables = {}, flags: OtelSection = {}) =>
  resolveOtelSettings(file, variables, flags).settings;
const warningsOf = (variables: Variables, file: OtelSection = {}, flags: OtelSection = {}) =>
  resolveOtelSettings(file, variables, flags).warnings;
const OTLP = 'OTEL_EXPORTER_OTLP';

test('the defaults are those of boot.md, and everything is off', async (t) => {
  const { settings, warnings, origins } = resolveOtelSettings({}, {});
  t.same(settings, {
    isDisabled: false,
    traceExporters: [],
    metricExporters: [],
    wantsOperationsPort: false,
    traces: {
      endpoint: 'http://localhost:4318',
      endpointFrom: 'otel.endpoint',
      isBase: true,
      insecure: false,
      protocol: 'http/protobuf',
      headers: {},
      timeoutMs: 10_000,
      compression: 'none',
      certificate: undefined,
      clientCertificate: undefined,
      clientKey: undefined,
    },
    metrics: settings.traces,
    sampler: { name: 'parentbased_always_on', ratio: 1 },
    limits: {
      attributeValueLengthLimit: Number.POSITIVE_INFINITY,
      attributeCountLimit: 128,
      eventCountLimit: 128,
      linkCountLimit: 128,
      attributePerEventCountLimit: 128,
      attributePerLinkCountLimit: 128,
    },
    batch: { maxQueueSize: 2048, maxExportBatchSize: 512, scheduleDelayMs: 2000, exportTimeoutMs: 10_000 },
    metricIntervalMs: 30_000,
    metricTimeoutMs: 10_000,
    temporality: 'cumulative',
    propagators: ['tracecontext', 'baggage'],
    resource: { 'service.name': 'perilune' },
  });
  t.same(warnings, []);
  t.match(origins['otel.endpoint'], { from: 'default' });
});

test('rule 82: what is on: the table of switches', async (t) => {
  const endpoint = { [`${OTLP}_ENDPOINT`]: 'http://localhost:1' };
  const table: [OtelSection, Variables, string][] = [
    [{ enabled: true }, {}, 'traces'],
    [{ enabled: true, metrics_enabled: true }, {}, 'traces+metrics'],
    [{ enabled: true, traces_enabled: false, metrics_enabled: true }, {}, 'metrics'],
    [{ enabled: true }, { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'otlp' }, 'metrics'],
    [{ metrics_enabled: true }, {}, ''],
    [{}, endpoint, 'traces'],
    [{ metrics_enabled: true }, endpoint, 'traces+metrics'],
    [{ traces_enabled: false }, endpoint, ''],
    [{ enabled: false }, endpoint, ''],
    [{ enabled: false }, { OTEL_METRICS_EXPORTER: 'otlp' }, ''],
    [{}, { OTEL_METRICS_EXPORTER: 'otlp' }, 'metrics'],
    [{}, { OTEL_TRACES_EXPORTER: 'otlp' }, 'traces'],
    [{}, { OTEL_TRACES_EXPORTER: 'none' }, ''],
    [{}, { [`${OTLP}_METRICS_ENDPOINT`]: 'http://localhost:1' }, 'metrics'],
    [{}, { [`${OTLP}_TRACES_ENDPOINT`]: 'http://localhost:1' }, 'traces'],
    [{ enabled: true, metrics_enabled: true }, { OTEL_SDK_DISABLED: 'true' }, ''],
    [{ enabled: true }, { OTEL_SDK_DISABLED: 'false' }, 'traces'],
  ];
  for (const [file, variables, expected] of table) {
    const { traceExporters, metricExporters } = settingsOf(file, variables);
    const on = [traceExporters.length > 0 && 'traces', metricExporters.length > 0 && 'metrics'].filter(Boolean);
    t.equal(on.join('+'), expected, JSON.stringify([file, variables]));
  }
  const disabled = settingsOf({}, { OTEL_SDK_DISABLED: 'TRUE' }, { enabled: true });
  t.same(disabled.traceExporters, [], 'beats --set');
  t.same(disabled.propagators, ['tracecontext', 'baggage'], 'propagation still works');
});

test('exporter lists: console, several, prometheus, unknown ones', async (t) => {
  t.same(settingsOf({}, { OTEL_TRACES_EXPORTER: 'otlp, console' }).traceExporters, ['otlp', 'console']);
  const scraped = settingsOf({}, { OTEL_METRICS_EXPORTER: 'prometheus' });
  t.match(scraped, { wantsOperationsPort: true, metricExporters: [] });
  const both = settingsOf({}, { OTEL_METRICS_EXPORTER: 'prometheus,otlp' });
  t.match(both, { wantsOperationsPort: true, metricExporters: ['otlp'] });
  t.same(settingsOf({ enabled: true }, { OTEL_TRACES_EXPORTER: 'zipkin' }).traceExporters, ['otlp']);
  t.match(warningsOf({ OTEL_TRACES_EXPORTER: 'zipkin' }), [/^OTEL_TRACES_EXPORTER: 'zipkin'.*otlp is used instead$/]);
  t.match(warningsOf({ OTEL_LOGS_EXPORTER: 'otlp' }), [/logs/]);
  t.same(warningsOf({ OTEL_LOGS_EXPORTER: 'none' }), []);
});

test('rule 87: an empty variable counts as unset', async (t) => {
  const names = ['OTEL_SERVICE_NAME', `${OTLP}_ENDPOINT`, 'OTEL_TRACES_SAMPLER', 'OTEL_BSP_MAX_QUEUE_SIZE'];
  const empty = Object.fromEntries(names.map((name) => [name, ' ']));
  const resolved = resolveOtelSettings({ service_name: 'mine' }, { ...empty, OTEL_PROPAGATORS: '' });
  t.same(resolved.warnings, []);
  t.same(resolved.settings, settingsOf({ service_name: 'mine' }));
  t.not(settingsOf({}, { OTEL_SERVICE_NAME: 'x' }).resource['service.name'], 'perilune', 'a full one counts');
});

test('rule 88: an invalid variable gives one warning naming variable, value and what is used instead', async (t) => {
  const cases: [string, string, RegExp][] = [
    ['OTEL_TRACES_SAMPLER', 'sometimes', /parentbased_always_on/],
    ['OTEL_BSP_MAX_QUEUE_SIZE', 'many', /2048/],
    ['OTEL_BSP_SCHEDULE_DELAY', '-1', /2000/],
    ['OTEL_BSP_EXPORT_TIMEOUT', '1.5', /10000/],
    [`${OTLP}_TIMEOUT`, '10s', /10000/],
    [`${OTLP}_METRICS_TIMEOUT`, '0', /10000/],
    [`${OTLP}_COMPRESSION`, 'zstd', /none/],
    [`${OTLP}_PROTOCOL`, 'thrift', /http\/protobuf/],
    [`${OTLP}_PROTOCOL`, 'grpc', /http\/protobuf/],
    [`${OTLP}_INSECURE`, 'yes', /false/],
    ['OTEL_SDK_DISABLED', '1', /false/],
    ['OTEL_METRIC_EXPORT_INTERVAL', 'x', /30000/],
    ['OTEL_SPAN_LINK_COUNT_LIMIT', 'x', /128/],
    ['OTEL_PROPAGATORS', 'b3', /tracecontext,baggage/],
    ['OTEL_RESOURCE_ATTRIBUTES', 'novalue', /\{\}/],
    [`${OTLP}_METRICS_TEMPORALITY_PREFERENCE`, 'both', /cumulative/],
  ];
  for (const [name, value, instead] of cases) {
    const warnings = warningsOf({ [name]: value });
    t.equal(warnings.length, 1, name);
    const [warning = ''] = warnings;
    t.ok(warning.startsWith(`${name}: `) && warning.includes(`'${value}'`), warning);
    t.match(warning, instead);
    t.match(warning, /is used instead$/);
  }
  t.match(warningsOf({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }), [/'2' .* 1 is used/]);
  t.same(warningsOf({ OTEL_BSP_MAX_QUEUE_SIZE: '100', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10' }), []);
  t.match(warningsOf({ OTEL_METRIC_EXPORT_TIMEOUT: '99000' }), [
    /^OTEL_METRIC_EXPORT_TIMEOUT: 99000 ms .* 30000 ms is used/,
  ]);
  t.match(warningsOf({ OTEL_BSP_MAX_QUEUE_SIZE: '5', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10' }), [
    /^OTEL_BSP_MAX_EXPORT_BATCH_SIZE: 10 .* 5 is used/,
  ]);
  const secret = warningsOf({ [`${OTLP}_HEADERS`]: 'geheim' });
  t.equal(secret.length, 1);
  t.notMatch(secret[0], /geheim/, 'headers may hold secrets');
});

test('precedence: default < file < variable < --set, and origins tell which', async (t) => {
  const variables = { OTEL_SERVICE_NAME: 'env', [`${OTLP}_ENDPOINT`]: 'http://env:1' };
  const file = { service_name: 'file', endpoint: 'http://file:1', protocol: 'http/json' } as const;
  const flags = { service_name: 'flag', endpoint: 'http://flag:1' };
  t.match(settingsOf(file), { resource: { 'service.name': 'file' }, traces: { endpoint: 'http://file:1' } });
  t.match(settingsOf(file, variables), { resource: { 'service.name': 'env' }, traces: { endpoint: 'http://env:1' } });
  const resolved = resolveOtelSettings(file, { ...variables, [`${OTLP}_TIMEOUT`]: '5' }, flags);
  t.match(resolved.settings, { resource: { 'service.name': 'flag' }, traces: { endpoint: 'http://flag:1' } });
  t.match(resolved.origins['otel.service_name'], { value: 'flag', from: 'flag' });
  t.match(resolved.origins['otel.protocol'], { value: 'http/json', from: 'file' });
  t.match(resolved.origins[`${OTLP}_TIMEOUT`], { value: 5, from: 'environment', variable: `${OTLP}_TIMEOUT` });
  t.match(resolveOtelSettings(file, variables).origins['otel.endpoint'], { from: 'environment' });
});

test('rule 82: each signal has its own endpoint, used as it is', async (t) => {
  const settings = settingsOf(
    {},
    {
      [`${OTLP}_ENDPOINT`]: 'http://all:4318',
      [`${OTLP}_METRICS_ENDPOINT`]: 'http://metrics:1/push',
      [`${OTLP}_METRICS_PROTOCOL`]: 'http/json',
      [`${OTLP}_TRACES_COMPRESSION`]: 'gzip',
      [`${OTLP}_CERTIFICATE`]: '/ca.pem',
      [`${OTLP}_TRACES_CLIENT_KEY`]: '/key.pem',
    },
  );
  t.match(settings.traces, {
    endpoint: 'http://all:4318',
    isBase: true,
    compression: 'gzip',
    certificate: { path: '/ca.pem', from: `${OTLP}_CERTIFICATE` },
    clientKey: { path: '/key.pem', from: `${OTLP}_TRACES_CLIENT_KEY` },
  });
  t.match(settings.metrics, {
    endpoint: 'http://metrics:1/push',
    isBase: false,
    protocol: 'http/json',
    compression: 'none',
    clientKey: undefined,
  });
});

test('headers are merged key by key, percent-decoded', async (t) => {
  const { traces, metrics } = settingsOf(
    { headers: { a: 'file', b: 'file' } },
    { [`${OTLP}_HEADERS`]: 'b=env%20x,c=env', [`${OTLP}_TRACES_HEADERS`]: 'c=traces' },
    { headers: { d: 'flag' } },
  );
  t.same(traces.headers, { a: 'file', b: 'env x', c: 'traces', d: 'flag' });
  t.same(metrics.headers, { a: 'file', b: 'env x', c: 'env', d: 'flag' });
});

test('rule 86: resource attributes are merged key by key; a variable beats the file, --set beats both', async (t) => {
  const variables = { OTEL_RESOURCE_ATTRIBUTES: 'team=a%2Cb,service.name=attr,service.version=1' };
  t.same(settingsOf({ service_name: 'file' }, variables).resource, {
    team: 'a,b',
    'service.name': 'attr',
    'service.version': '1',
  });
  const named = { ...variables, OTEL_SERVICE_NAME: 'own', OTEL_SERVICE_VERSION: '2' };
  t.match(settingsOf({}, named).resource, { team: 'a,b', 'service.name': 'own', 'service.version': '2' });
  t.match(settingsOf({}, named, { service_name: 'flag' }).resource, { team: 'a,b', 'service.name': 'flag' });
});

test('samplers: by rate, by name, and the argument only beside its variable', async (t) => {
  t.same(settingsOf({ sample_rate: 0.25 }).sampler, { name: 'parentbased_traceidratio', ratio: 0.25 });
  t.same(settingsOf({ sample_rate: 0.25, sampler: 'always_on' }).sampler, { name: 'always_on', ratio: 0.25 });
  t.same(settingsOf({}, { OTEL_TRACES_SAMPLER: 'TraceIdRatio', OTEL_TRACES_SAMPLER_ARG: '0.5' }).sampler, {
    name: 'traceidratio',
    ratio: 0.5,
  });
  t.same(settingsOf({}, { OTEL_TRACES_SAMPLER_ARG: '0.5' }).sampler, { name: 'parentbased_always_on', ratio: 1 });
  t.same(
    settingsOf({}, { OTEL_TRACES_SAMPLER: 'always_off', OTEL_TRACES_SAMPLER_ARG: 'x' }).sampler.name,
    'always_off',
  );
});

test('batch, interval, limits, propagators, temporality by variable', async (t) => {
  const { settings, warnings } = resolveOtelSettings(
    {},
    {
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '20',
      OTEL_BSP_SCHEDULE_DELAY: '0',
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
      OTEL_ATTRIBUTE_COUNT_LIMIT: '7',
      OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '9',
      OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '0',
      OTEL_PROPAGATORS: 'baggage, tracecontext,baggage',
      [`${OTLP}_METRICS_TEMPORALITY_PREFERENCE`]: 'DELTA',
    },
  );
  t.match(settings.batch, { maxQueueSize: 10, maxExportBatchSize: 10, scheduleDelayMs: 0 });
  t.match(settings, { metricIntervalMs: 1000, metricTimeoutMs: 1000, temporality: 'delta' });
  t.match(settings.limits, { attributeCountLimit: 7, attributeValueLengthLimit: 9, attributePerEventCountLimit: 0 });
  t.same(settings.propagators, ['tracecontext', 'baggage']);
  t.match(warnings, [/MAX_EXPORT_BATCH_SIZE: 20/], 'a default above the interval is no mistake of the user');
  t.same(settingsOf({}, { OTEL_PROPAGATORS: 'none' }).propagators, []);
  t.same(settingsOf({ propagators: ['baggage'] }).propagators, ['baggage']);
  t.match(warningsOf({ OTEL_PROPAGATORS: 'b3,baggage' }), [/'b3'.* baggage is used instead/]);
});
