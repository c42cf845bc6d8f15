import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import type { INIT_ERROR_REASONS } from '../../runtime/metrics/vocabulary.ts';
import { resolveEndpoint } from './endpoint.ts';
import type { ExporterName, ExportMonitor } from './export-monitor.ts';
import { initErrors } from './instruments.ts';
import { type Transport, transport } from './otlp-exporters.ts';
import type { OtelSettings, OtlpSettings } from './settings-types.ts';

/** What a signal is built from. */
export interface SignalOptions {
  readonly settings: OtelSettings;
  readonly collector: Collector;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Perilune's version: that of the instrumentation scope. */
  readonly version: string;
  readonly monitor: (exporter: ExporterName) => ExportMonitor;
  /** Warns, once per text. */
  readonly warn: (text: string) => void;
  /** Told about a part that is off; one warning says all that are off for the same reason. */
  readonly off: (what: string, why: string) => void;
}

/** Spans or metrics on their way out. Both may reject, and late: a dead collector is retried for the export's timeout. */
export interface Signal {
  flush(): Promise<void>;
  shutdown(): Promise<void>;
  /** Gives up what is under way, and takes the gauges off. */
  halt(): void;
}

/** A part that could not be built: off, warned about and counted; the program goes on without it. */
export const reportInitError = (
  options: SignalOptions,
  reason: (typeof INIT_ERROR_REASONS)[number],
  what: string,
  error: unknown,
): void => {
  options.collector.counter(initErrors).bind({ component: 'otel', reason }).add(1);
  options.off(what, messageOf(error));
};

/** Checks the endpoint and opens a transport to it. @throws Error telling what is wrong with the configuration. */
export const openTransport = (
  options: SignalOptions,
  otlp: OtlpSettings,
  path: string,
  concurrent: number,
): Transport => {
  const endpoint = resolveEndpoint(otlp.endpoint, {
    path: otlp.isBase ? path : undefined,
    insecure: otlp.insecure,
    from: otlp.endpointFrom,
  });
  if (!endpoint.ok) throw new Error(endpoint.problem);
  const opened = transport(endpoint.url, otlp, concurrent);
  if (endpoint.warning !== undefined) options.warn(endpoint.warning);
  return opened;
};
