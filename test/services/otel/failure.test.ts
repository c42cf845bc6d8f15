import { OTLPExporterError } from '@opentelemetry/otlp-exporter-base';
import { test } from 'tap';
import { COMPONENT_ERROR_KINDS } from '../../../runtime/metrics/vocabulary.ts';
import { failureKind } from '../../../services/otel/failure-kind.ts';
import { failureRate } from '../../../services/otel/failure-rate.ts';

test('rule 114: the failure rate is 0 without calls, and never NaN', async (t) => {
  const rate = failureRate();
  t.equal(rate.read(0), 0);
  t.equal(rate.read(10_000_000), 0);
  rate.record(0, true);
  t.equal(rate.read(0), 1, 'the first second counts');
});

test('rule 113: a failure leaves the window after 60 s', async (t) => {
  const rate = failureRate();
  rate.record(500, true);
  for (let second = 1; second < 4; second++) rate.record(second * 1000, false);
  t.equal(rate.read(4000), 0.25);
  t.equal(rate.read(59_999), 0.25);
  t.equal(rate.read(60_000), 0, 'the failure is out, the successes are still in');
  rate.record(60_100, true);
  t.equal(rate.read(60_100), 0.25, 'its slot was reused, and is counted anew');
  t.equal(rate.read(500_000), 0);
});

test('rule 115: memory does not grow with calls or reads', async (t) => {
  const rate = failureRate();
  for (let ms = 0; ms < 200_000; ms += 10) {
    rate.record(ms, ms % 20 === 0);
    rate.read(ms);
  }
  t.equal(rate.read(199_990), 0.5);
});

test('rule 30: every failure gets a kind of the closed set', async (t) => {
  const withCode = (code: string) => Object.assign(new Error(code), { code });
  const cases: [unknown, string][] = [
    [withCode('ECONNREFUSED'), 'connect'],
    [withCode('ENOTFOUND'), 'connect'],
    [withCode('ETIMEDOUT'), 'timeout'],
    [new Error('Request timed out'), 'timeout'],
    [withCode('EPROTO'), 'tls'],
    [withCode('ERR_SSL_WRONG_VERSION_NUMBER'), 'tls'],
    [withCode('CERT_HAS_EXPIRED'), 'tls'],
    [withCode('ECONNRESET'), 'read'],
    [withCode('EPIPE'), 'write'],
    [withCode('HPE_INVALID_CONSTANT'), 'parse'],
    [new OTLPExporterError('no', 401), 'rejected'],
    [new OTLPExporterError('no', 500), 'downstream'],
    [new OTLPExporterError('no', 429), 'throttled'],
    [new OTLPExporterError('Export failed with retryable status'), 'throttled'],
    [new Error('anything'), 'internal'],
    ['a text', 'internal'],
    [undefined, 'internal'],
  ];
  for (const [error, kind] of cases) t.equal(failureKind(error), kind, String(error));
  for (const [, kind] of cases) t.ok((COMPONENT_ERROR_KINDS as readonly string[]).includes(kind));
});
