import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { renderReference } from '../../../boot/config/reference.ts';
import { bootSchema, renderJsonSchema } from '../../../boot/config/schema.ts';

test('schema/perilune.schema.json is what the schema says now', async (t) => {
  const committed = readFileSync(new URL('../../../schema/perilune.schema.json', import.meta.url), 'utf8');
  t.equal(committed, renderJsonSchema(), 'run `node boot/config/write-schema.ts`');
});

test('rule 134: docs/configuration.md is what the schema says now', async (t) => {
  const committed = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
  t.equal(committed, renderReference(), 'run `node boot/config/write-schema.ts`');
  t.match(committed, '| `telemetry.listen` | string | `"127.0.0.1:9464"` |');
});

test('the JSON Schema knows types, defaults and help, and refuses unknown keys', async (t) => {
  const { properties, additionalProperties } = JSON.parse(renderJsonSchema());
  t.equal(additionalProperties, false);
  t.match(properties.shutdown.properties.timeout, { type: 'string', default: '30s', description: /graceful/ });
  t.match(properties.metrics.properties.max_series, { type: 'integer', minimum: 1, default: 2000 });
  t.strictSame(properties.logger.properties.level.enum, ['debug', 'info', 'warn', 'error']);
});

test('durations are milliseconds when decoded, and every key has a default', async (t) => {
  const config = bootSchema.parse({});
  t.equal(config.shutdown.timeout, 30_000);
  t.equal(config.otel.batch.schedule_delay, 2_000);
  t.strictSame(config.telemetry.paths, { metrics: '/metrics', healthz: '/healthz', readyz: '/readyz' });
  t.equal(config.version, '1.0');
});
