import { test } from 'tap';
import { explainConfig } from '../../../boot/config/explain.ts';
import { loadConfig } from '../../../boot/config/load.ts';

test('rule 128: --explain prints every effective value and where it came from', async (t) => {
  const dir = t.testdir({
    'perilune.yaml': 'version: "1.0"\nshutdown:\n  timeout: 1m\notel: { headers: { x-api.key: s3cret } }\n',
  });
  const loaded = loadConfig({ dir, env: { LOG_LEVEL: 'debug' }, sets: ['relay.node_name=n1'] });
  const lines = explainConfig(loaded, [
    {
      path: 'OTEL_EXPORTER_OTLP_TIMEOUT',
      value: '5000',
      origin: { from: 'env', where: 'env OTEL_EXPORTER_OTLP_TIMEOUT' },
    },
    { path: 'otel.service_name', value: 'shop', origin: { from: 'env', where: 'env OTEL_SERVICE_NAME' } },
  ]);
  for (const line of [
    'shutdown.timeout = 1m  (perilune.yaml:3)',
    'shutdown.flush_timeout = 5s  (default)',
    'logger.level = debug  (env LOG_LEVEL)',
    'relay.node_name = n1  (--set)',
    'otel.service_version = ""  (default)',
    'otel.propagators = ["tracecontext","baggage"]  (default)',
    'otel.service_name = shop  (env OTEL_SERVICE_NAME)',
    'OTEL_EXPORTER_OTLP_TIMEOUT = 5000  (env OTEL_EXPORTER_OTLP_TIMEOUT)',
    'otel.headers.x-api.key = ***  (perilune.yaml:4)',
  ]) {
    t.equal(lines.filter((one) => one === line).length, 1, line);
  }
  t.equal(lines.length, loaded.values.size + 1, 'every key once, and the variable without a key');
  t.notMatch(lines.join('\n'), /s3cret/);
});

test('secrets are shown as ***, also inside URLs', async (t) => {
  const row = (path: string, value: unknown) =>
    explainConfig({ values: new Map([[path, value]]), origins: new Map() })[0];
  t.equal(row('OTEL_EXPORTER_OTLP_HEADERS', 'a=b'), 'OTEL_EXPORTER_OTLP_HEADERS = ***  (default)');
  t.equal(row('db.password', 'x'), 'db.password = ***  (default)');
  t.equal(row('otel.endpoint', 'http://u:p@h:1/x'), 'otel.endpoint = http://***@h:1/x  (default)');
  t.equal(row('otel.endpoint', 'http://h/?api_key=z&a=1'), 'otel.endpoint = http://h/?api_key=***&a=1  (default)');
  t.equal(row('otel.endpoint', 'http://h:4318'), 'otel.endpoint = http://h:4318  (default)', 'others are shown');
  t.equal(
    row('otel.http.extract_headers', true),
    'otel.http.extract_headers = true  (default)',
    'a switch is no secret',
  );
});
