import type { TracerProvider } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { Tracer } from '../../runtime/trace.ts';
import { traceIds } from './ids.ts';
import { encodingSpanProcessor } from './otlp/span-processor.ts';
import { encodedSpanDelivery, jsonSpanExporter, type Transport } from './otlp-exporters.ts';
import { announcedSampler, sampler, samplingDecision } from './sampler.ts';
import { openTransport, reportInitError, type Signal, type SignalOptions } from './signal.ts';
import { spanCounts } from './span-counts.ts';
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

/** Spans are encoded as they end. */
const protobufPipeline = (options: SignalOptions, { config, halt }: Transport): Pipeline => {
  const { settings, clock } = options;
  const monitor = options.monitor('otlp_traces');
  const counts = spanCounts(options.collector);
  const out = encodedSpanDelivery(config);
  const processor = encodingSpanProcessor({
    batch: settings.batch,
    clock,
    counts,
    broken: monitor.failed,
    send: (batch) =>
      new Promise((resolve) => {
        out.send(batch, (failure, partial) => {
          if (failure === undefined) {
            const refused = Math.min(partial?.rejected ?? 0, batch.spans);
            counts.exported(batch.spans - refused);
            counts.failed(refused);
            monitor.succeeded(partial);
          } else {
            counts.failed(batch.spans);
            monitor.failed(failure);
          }
          resolve(failure);
        });
      }),
  });
  return {
    processor,
    settle: () => out.settle(),
    halt() {
      monitor.close();
      halt();
    },
  };
};

/** The SDK's own exporter and batches. */
const jsonPipeline = (options: SignalOptions, { config, halt }: Transport): Pipeline => {
  const { batch } = options.settings;
  const monitor = options.monitor('otlp_traces');
  const ledger = spanLedger(spanCounts(options.collector), monitor, batch.maxQueueSize);
  const exporter = ledger.exporter(jsonSpanExporter(config));
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

const otlpPipeline = (options: SignalOptions): Pipeline => {
  const { batch, traces } = options.settings;
  // At shutdown the whole queue is sent at once, in batches.
  const concurrent = Math.ceil(batch.maxQueueSize / batch.maxExportBatchSize) + 1;
  const transport = openTransport(options, traces, 'v1/traces', concurrent);
  return traces.protocol === 'http/json' ? jsonPipeline(options, transport) : protobufPipeline(options, transport);
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

  const ids = traceIds();
  const { name, ratio } = settings.sampler;
  const announced = announcedSampler(sampler(name, ratio));
  const provider = new BasicTracerProvider({
    resource,
    sampler: announced.sampler,
    spanLimits: settings.limits,
    idGenerator: ids.generator,
    spanProcessors: pipelines.map((pipeline) => pipeline.processor),
  });
  return {
    provider,
    tracer: tracer({
      provider,
      clock: options.clock,
      ids,
      decide: samplingDecision(name, ratio),
      announce: announced.announce,
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
