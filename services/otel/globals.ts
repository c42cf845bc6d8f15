import {
  context as contextApi,
  type DiagLogger,
  DiagLogLevel,
  diag,
  type MeterProvider,
  metrics as metricsApi,
  propagation,
  type TracerProvider,
  trace as traceApi,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { messageOf } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Propagator } from '../../runtime/trace.ts';
import { httpClientSpans } from './http-client-spans.ts';
import { textMapPropagator } from './third-party.ts';

export interface GlobalsOptions {
  readonly propagator: Propagator;
  /** Absent when tracing is off. */
  readonly tracerProvider: TracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
  /** Outgoing requests get client spans. */
  readonly httpClientSpans: boolean;
  readonly logger: Logger;
}

/** The API's process-wide globals, for instrumentation of third parties. Set by the program alone, never when embedded. */
export interface Globals {
  /** Sets what nobody has set; false when somebody else had the context manager or the tracer provider already. */
  register(): boolean;
  /** Takes away what `register` set, and nothing else. */
  unregister(): void;
}

/** The SDK's own messages: facts for debugging; what matters is counted and logged by the exporters' monitors. */
const diagLogger = (logger: Logger): DiagLogger => {
  const write = (message: string, ...rest: unknown[]): void => {
    if (logger.enabled('debug')) logger.debug(`otel sdk: ${[message, ...rest.map(messageOf)].join(' ')}`);
  };
  return { error: write, warn: write, info: write, debug: write, verbose: write };
};

export const otelGlobals = (options: GlobalsOptions): Globals => {
  const undo: (() => void)[] = [];
  /** `set` tells whether it was the first; only then is it ours to take away. */
  const claim = (set: boolean, release: () => void): boolean => {
    if (set) undo.push(release);
    return set;
  };

  const unregister = (): void => {
    for (const release of undo.splice(0).reverse()) release();
  };
  return {
    register() {
      if (undo.length > 0) return true; // twice is once
      const manager = new AsyncLocalStorageContextManager().enable();
      const { tracerProvider, meterProvider, logger } = options;
      const isFirst = claim(contextApi.setGlobalContextManager(manager), () => contextApi.disable());
      if (!isFirst) {
        logger.warn(
          'OpenTelemetry is set up by somebody else in this process; code of third parties makes its spans there',
        );
        return false;
      }
      claim(diag.setLogger(diagLogger(logger), { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true }), () =>
        diag.disable(),
      );
      claim(propagation.setGlobalPropagator(textMapPropagator(options.propagator)), () => propagation.disable());
      if (meterProvider !== undefined) {
        claim(metricsApi.setGlobalMeterProvider(meterProvider), () => metricsApi.disable());
      }
      if (tracerProvider !== undefined) {
        claim(traceApi.setGlobalTracerProvider(tracerProvider), () => traceApi.disable());
        if (options.httpClientSpans) {
          const spans = httpClientSpans(tracerProvider);
          spans.enable();
          claim(true, () => spans.disable());
        }
      }
      return true;
    },
    unregister,
  };
};
