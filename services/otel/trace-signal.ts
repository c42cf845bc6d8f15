import type { TracerProvider } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  RandomIdGenerator,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { Tracer } from '../../runtime/trace.ts';
import { otlpSpanExporter } from './otlp-exporters.ts';
import { isParentBased, sampler } from './sampler.ts';
import { openTransport, reportInitError, type Signal, type SignalOptions } from './signal.ts';
import { spanLedger } from './span-export.ts';
import { tracer } from './tracer.ts';

export interface TraceSignal extends Signal {
  readonly provider: TracerProvider;
  readonly tracer: Tracer;
}

/** One way out for spans: the processor, and what ends it. */
interface Pipeline {
  readonly processor: SpanProcessor;
  /** Waits for exports that are under way: the batch processor's own flush does not. */
  readonly settle?: () => Promise<void>;
  readonly halt?: () => void;
}

const otlpPipeline = (options: SignalOptions): Pipeline => {
  const { batch, traces } = options.settings;
  // At shutdown the whole queue is sent at once, in batches.
  const concurrent = Math.ceil(batch.maxQueueSize / batch.maxExportBatchSize) + 1;
  const { config, halt } = openTransport(options, traces, 'v1/traces', concurrent);
  const inner = otlpSpanExporter(traces, config);
  const monitor = options.monitor('otlp_traces');
  const ledger = spanLedger(options.collector, monitor, batch.maxQueueSize);
  const exporter = ledger.exporter(inner);
  const processor = new BatchSpanProcessor(exporter, {
    maxQueueSize: batch.maxQueueSize,
    maxExportBatchSize: batch.maxExportBatchSize,
    scheduledDelayMillis: batch.scheduleDelayMs,
    exportTimeoutMillis: batch.exportTimeoutMs,
  });
  return {
    processor: ledger.processor(processor),
    settle: () => exporter.forceFlush?.() ?? Promise.resolve(),
    halt() {
      monitor.close();
      halt();
    },
  };
};

/** The tracer over the SDK with its exporters; undefined when none of them could be built. */
export const traceSignal = (options: SignalOptions, resource: Resource): TraceSignal | undefined => {
  const { settings } = options;
  const pipelines: Pipeline[] = [];
  for (const name of settings.traceExporters) {
    try {
      if (name === 'otlp') pipelines.push(otlpPipeline(options));
      else pipelines.push({ processor: new SimpleSpanProcessor(new ConsoleSpanExporter()) });
    } catch (error) {
      reportInitError(options, 'config', `tracing (exporter ${name})`, error);
    }
  }
  if (pipelines.length === 0) return undefined;

  const ids = new RandomIdGenerator();
  const provider = new BasicTracerProvider({
    resource,
    sampler: sampler(settings.sampler.name, settings.sampler.ratio),
    spanLimits: settings.limits,
    idGenerator: ids,
    spanProcessors: pipelines.map((pipeline) => pipeline.processor),
  });
  return {
    provider,
    tracer: tracer({
      provider,
      clock: options.clock,
      newSpanId: () => ids.generateSpanId(),
      isParentBased: isParentBased(settings.sampler.name),
      version: options.version,
    }),
    async flush() {
      const flushed = await Promise.allSettled(pipelines.map((pipeline) => pipeline.processor.forceFlush()));
      await Promise.all(pipelines.map((pipeline) => pipeline.settle?.()));
      throwFirst(flushed);
    },
    async shutdown() {
      const stopped = await Promise.allSettled(pipelines.map((pipeline) => pipeline.processor.shutdown()));
      await Promise.all(pipelines.map((pipeline) => pipeline.settle?.()));
      throwFirst(stopped);
    },
    halt() {
      for (const pipeline of pipelines) pipeline.halt?.();
    },
  };
};

const throwFirst = (results: readonly PromiseSettledResult<void>[]): void => {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
};
