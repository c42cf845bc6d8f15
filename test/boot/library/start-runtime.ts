import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createRuntime, type Runtime, type RuntimeOptions } from '../../../boot/library.ts';
import type { Scope } from '../../harness/teardown.ts';

/** The app of these tests. */
export const APP = new URL('../apps/embedded/', import.meta.url);

/** A runtime on it that is stopped with the test. */
export const startRuntime = async (t: Scope, options: Partial<RuntimeOptions> = {}): Promise<Runtime> => {
  const runtime = createRuntime({ dir: APP, ...options });
  t.teardown(() => runtime.stop());
  await runtime.start();
  return runtime;
};

/** A tracer provider as a host program has one. */
export const hostTracing = () => {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  return { tracerProvider, spans: () => exporter.getFinishedSpans() };
};
