import { JAEGER_MISSING, startJaeger } from '../harness/jaeger.ts';
import { startOtlpCollector } from '../harness/otlp-collector.ts';
import type { CollectedSpan } from '../harness/otlp-decode.ts';
import type { ReadAttributes, ReadSpan } from '../harness/otlp-spans.ts';
import type { Scope } from '../harness/teardown.ts';
import { CannotRun } from './checks.ts';

/** Where the program sends its spans, and where they are read back. */
export interface SpanBackend {
  readonly name: string;
  /** OTLP over HTTP, without a path. */
  readonly otlpUrl: string;
  spans(service: string): Promise<ReadSpan[]>;
}

const readSpan = (span: CollectedSpan): ReadSpan => ({
  traceId: span.traceId,
  spanId: span.spanId,
  parentId: span.parentSpanId === '' ? undefined : span.parentSpanId,
  name: span.name,
  kind: span.kind,
  status: span.status,
  attributes: span.attributes as ReadAttributes,
  events: span.events.map(({ name, attributes }) => ({ name, attributes: attributes as ReadAttributes })),
  links: span.links,
  resource: span.resource as ReadAttributes,
  scope: span.scope.name,
});

const harnessBackend = async (scope: Scope): Promise<SpanBackend> => {
  const collector = await startOtlpCollector();
  scope.teardown(() => collector.close());
  return {
    name: 'the harness collector',
    otlpUrl: collector.url,
    spans: async (service) =>
      collector
        .spans()
        .map(readSpan)
        .filter((span) => span.resource['service.name'] === service),
  };
};

/** @throws CannotRun 3 when Jaeger is asked for and is not to be had, 2 for an unknown BACKEND. */
export const startSpanBackend = async (scope: Scope, say: (line: string) => void): Promise<SpanBackend> => {
  const wanted = process.env.BACKEND ?? 'jaeger';
  if (wanted === 'harness') {
    say("the test harness's own OTLP collector (BACKEND=harness)");
    return harnessBackend(scope);
  }
  if (wanted !== 'jaeger') throw new CannotRun(2, `BACKEND=${wanted}: use jaeger or harness`);
  const jaeger = await startJaeger(scope, say);
  if (jaeger === undefined) throw new CannotRun(3, JAEGER_MISSING);
  return { name: 'Jaeger', otlpUrl: jaeger.otlpUrl, spans: jaeger.spans };
};
