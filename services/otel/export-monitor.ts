import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Health } from '../../runtime/health.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { BoundCounter, Collector, Unregister } from '../../runtime/metrics/collector.ts';
import { failureKind } from './failure-kind.ts';
import { failureRate } from './failure-rate.ts';
import { exporterCalls, exporterFailureRate } from './instruments.ts';
import type { PartialSuccess } from './otlp/export-response.ts';

export type ExporterName = 'otlp_traces' | 'otlp_metrics';

/** Told the outcome of every export of one exporter. */
export interface ExportMonitor {
  /** `partial`: what the collector refused, although it took the request. */
  succeeded(partial?: PartialSuccess): void;
  failed(error: unknown): void;
  /** Takes the exporter's gauge off. */
  close: Unregister;
}

export interface ExportMonitorOptions {
  readonly collector: Collector;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: Health | undefined;
}

/** Makes the monitors of one program's exporters: the component is degraded while any of them is in a failure episode. */
export const exportMonitors = (options: ExportMonitorOptions): ((exporter: ExporterName) => ExportMonitor) => {
  const { collector, clock, logger, health } = options;
  const failing = new Set<ExporterName>();
  const calls = collector.counter(exporterCalls);

  return (exporter) => {
    const rate = failureRate();
    const bound = new Map<string, BoundCounter>(); // one per kind, and the kinds are a closed set
    const count = (result: 'success' | 'failure', kind: string): void => {
      let counter = bound.get(kind);
      if (counter === undefined) {
        counter = calls.bind({ exporter, result, kind });
        bound.set(kind, counter);
      }
      counter.add(1);
      rate.record(clock.now(), result === 'failure');
    };

    let isRefusing = false;
    /** What is refused is lost: it must not be sent again (OTLP specification, "Partial Success"). */
    const refused = ({ rejected, errorMessage }: PartialSuccess): void => {
      health?.error('rejected');
      const fields = { exporter, rejected, error: errorMessage || 'no reason given' };
      if (!isRefusing) logger.warn('the collector refuses a part of what it is sent; that part is lost', fields);
    };

    return {
      succeeded(partial) {
        count('success', 'none');
        health?.activity();
        const isRefused = partial !== undefined && partial.rejected > 0;
        if (isRefused) refused(partial);
        isRefusing = isRefused;
        if (!failing.delete(exporter)) return;
        if (failing.size === 0) health?.degraded(false);
        logger.info('telemetry export works again', { exporter });
      },
      failed(error) {
        const kind = failureKind(error);
        count('failure', kind);
        health?.error(kind);
        const isNew = !failing.has(exporter);
        failing.add(exporter);
        health?.degraded(true);
        // One line per episode; the counters tick every time.
        const fields = { exporter, kind, error: messageOf(error) };
        if (isNew) logger.warn('telemetry export fails; the program goes on without it', fields);
        else logger.debug('telemetry export still fails', fields);
      },
      close: collector.observe('gauge', exporterFailureRate, { exporter }, () => rate.read(clock.now())),
    };
  };
};
