import type { TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import type { Clock } from '../../runtime/clock.ts';
import { waitAtMost } from '../../runtime/deadline.ts';
import type { BuildInfo } from '../../runtime/env.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Health } from '../../runtime/health.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import { noTracer, type Propagator, type ThirdPartyScope, type Tracer } from '../../runtime/trace.ts';
import type { ForeignFamily } from '../prometheus/port.ts';
import { exportMonitors } from './export-monitor.ts';
import { otelGlobals } from './globals.ts';
import { hostPropagator } from './host-propagator.ts';
import { hostTracer } from './host-tracer.ts';
import { initErrors } from './instruments.ts';
import { metricSignal } from './metric-signal.ts';
import { propagator } from './propagator.ts';
import { resource, resourceAttributes } from './resource.ts';
import type { OtelSettings } from './settings-types.ts';
import type { SignalOptions } from './signal.ts';
import { thirdPartyScope } from './third-party.ts';
import { traceSignal } from './trace-signal.ts';

export interface OpenTelemetryOptions {
  readonly settings: OtelSettings;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly build: Pick<BuildInfo, 'version'>;
  /** The health of the component `otel`. */
  readonly health?: Health;
  /** Outgoing HTTP requests get client spans once the globals are registered. Default true. */
  readonly httpClientSpans?: boolean;
  /** A host program's, instead of one with exporters of our own; it is the host's to flush and to shut down. */
  readonly tracerProvider?: TracerProvider;
  /** A host program's, instead of the configured ones. */
  readonly propagator?: Propagator | TextMapPropagator;
}

/** Tracing and the push of metrics, ready for use from construction; nothing of it can end the program. */
export interface OpenTelemetry {
  readonly tracer: Tracer;
  readonly propagator: Propagator;
  readonly thirdParty: ThirdPartyScope;
  /** What third parties recorded, as a scrape shows it, `target_info` first. Never rejects. */
  readonly thirdPartyFamilies: () => Promise<readonly ForeignFamily[]>;
  /** The resource of spans and metrics; `target_info` shows the same. */
  readonly resource: Readonly<Record<string, string | number>>;
  /** Sets the API's process-wide globals. For the program alone, never when embedded. Twice is once. */
  registerGlobals(): boolean;
  unregisterGlobals(): void;
  /** Sends what waits: spans, then the current metrics. False when that took longer or spans were refused. Never rejects. */
  flush(budgetMs: number): Promise<boolean>;
  /** The last flush; gives everything back, within the budget. Idempotent, never rejects. */
  shutdown(budgetMs: number): Promise<void>;
}

/** Spans may take this share of a budget before metrics begin beside them. */
const SPAN_SHARE = 0.5;

export const openTelemetry = (options: OpenTelemetryOptions): OpenTelemetry => {
  const { settings, collector, clock } = options;
  const logger = options.logger.subsystem('telemetry');
  const version = options.build.version;

  collector.counter(initErrors); // before Lua can take the name
  const warned = new Set<string>();
  /** By reason. */
  const off = new Map<string, readonly string[]>();
  const signalOptions: SignalOptions = {
    settings,
    collector,
    clock,
    logger,
    version,
    monitor: exportMonitors({ collector, clock, logger, health: options.health }),
    warn(text) {
      if (!warned.has(text)) logger.warn(text);
      warned.add(text);
    },
    off: (what, why) => void off.set(why, [...(off.get(why) ?? []), what]),
  };
  const attributes = resourceAttributes({ 'service.version': version, ...settings.resource });
  const shared = resource(attributes);
  const theirs = settings.isDisabled ? undefined : options.tracerProvider;
  const traces = theirs === undefined ? traceSignal(signalOptions, shared) : undefined;
  const metrics = metricSignal(signalOptions, shared);
  for (const [why, parts] of off) logger.warn(`${parts.join(' and ')} ${parts.length > 1 ? 'are' : 'is'} off: ${why}`);
  const usedPropagator =
    options.propagator === undefined ? propagator(settings.propagators) : hostPropagator(options.propagator, logger);
  const globals = otelGlobals({
    propagator: usedPropagator,
    tracerProvider: traces?.provider,
    meterProvider: settings.isDisabled ? undefined : metrics.thirdParty.provider,
    httpClientSpans: options.httpClientSpans ?? true,
    logger,
  });

  /** Runs both steps, spans first, and tells whether all went well in time. What fails late is logged, once. */
  const inOrder = async (
    budgetMs: number,
    what: string,
    ofTraces: (() => Promise<void>) | undefined,
    ofMetrics: (() => Promise<void>) | undefined,
  ): Promise<boolean> => {
    const deadline = clock.now() + budgetMs;
    const problems: string[] = [];
    const attempt = (name: string, step: (() => Promise<void>) | undefined): Promise<void> =>
      (step?.() ?? Promise.resolve()).catch((error: unknown) => {
        problems.push(`${name}: ${messageOf(error)}`);
      });
    const first = attempt('traces', ofTraces);
    // The last metrics are to count the last spans; but slow spans must not cost the metrics their turn.
    await waitAtMost(clock, ofMetrics === undefined ? budgetMs : budgetMs * SPAN_SHARE, first);
    const both = Promise.all([first, attempt('metrics', ofMetrics)]);
    const { inTime } = await waitAtMost(clock, Math.max(deadline - clock.now(), 0), both);
    if (!inTime) problems.push(`not finished within ${budgetMs} ms`);
    if (problems.length > 0) logger.warn(`telemetry ${what} is incomplete`, { error: problems.join('; ') });
    return problems.length === 0;
  };

  let ending: Promise<void> | undefined;
  const end = async (budgetMs: number): Promise<void> => {
    await inOrder(budgetMs, 'shutdown', traces && (() => traces.shutdown()), () => metrics.shutdown());
    globals.unregister();
    traces?.halt();
    metrics.halt();
  };

  return {
    tracer: theirs === undefined ? (traces?.tracer ?? noTracer) : hostTracer(theirs, clock, version),
    propagator: usedPropagator,
    thirdParty: thirdPartyScope,
    thirdPartyFamilies: () => metrics.thirdParty.families(),
    resource: attributes,
    registerGlobals: () => globals.register(),
    unregisterGlobals: () => globals.unregister(),
    flush: (budgetMs) =>
      inOrder(
        budgetMs,
        'flush',
        traces && (() => traces.flush()),
        metrics.isPushing ? () => metrics.flush() : undefined,
      ),
    shutdown(budgetMs) {
      ending ??= end(budgetMs);
      return ending;
    },
  };
};
