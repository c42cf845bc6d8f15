import { type LogFields, type Logger, silentLogger } from '../../../runtime/logger.ts';
import type { Collector } from '../../../runtime/metrics/collector.ts';
import { createCollector } from '../../../runtime/metrics/core.ts';
import type { Family, Series } from '../../../runtime/metrics/snapshot.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A logger that keeps its lines. */
export const recordingLogger = (): { logger: Logger; lines: Line[] } => {
  const lines: Line[] = [];
  const write = (level: Line['level']) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, fields });
  const logger: Logger = {
    ...silentLogger,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    enabled: () => true,
    child: () => logger,
    subsystem: () => logger,
  };
  return { logger, lines };
};

export const testCollector = (
  maxSeries?: number,
): { collector: Collector; clock: ManualClock; lines: Line[]; logger: Logger } => {
  const clock = manualClock();
  const { logger, lines } = recordingLogger();
  const collector = createCollector({ namespace: 'wippy', clock, logger, ...(maxSeries ? { maxSeries } : {}) });
  return { collector, clock, lines, logger };
};

export const familyOf = (collector: Collector, name: string): Family | undefined =>
  collector.snapshot().families.find((family) => family.name === name);

const labelsOf = (series: Series): Record<string, string> =>
  Object.fromEntries(series.labelNames.map((name, i) => [name, series.labelValues[i] ?? '']));

/** The series with exactly these labels; undefined where there is none, which is not 0. */
export const seriesOf = (collector: Collector, name: string, labels: Record<string, string> = {}): Series | undefined =>
  familyOf(collector, name)?.series.find((series) => {
    const own = labelsOf(series);
    const names = Object.keys(labels);
    return names.length === Object.keys(own).length && names.every((label) => own[label] === labels[label]);
  });

export const valueAt = (collector: Collector, name: string, labels: Record<string, string> = {}): number | undefined =>
  seriesOf(collector, name, labels)?.value;
