import { LOG_LEVELS, type LogLevel } from '../../runtime/logger.ts';
import type { BoundCounter, Collector } from '../../runtime/metrics/collector.ts';
import type { CounterSpec } from '../../runtime/metrics/instruments.ts';

const EMISSIONS: CounterSpec<'level'> = {
  name: 'runtime_log_emissions_total',
  namespaced: false,
  help: 'Log lines written, by level. 0 until the first line of a level.',
  unit: '{line}',
  labels: ['level'],
};

/** Counts lines by level; a level's series exists from its first line on. */
export const emissionCounter = (collector: Collector): ((level: LogLevel) => void) => {
  const counter = collector.counter(EMISSIONS);
  const bound = new Map<LogLevel, BoundCounter>();
  return (level) => {
    let series = bound.get(level);
    if (series === undefined) {
      series = counter.bind({ level: LOG_LEVELS.includes(level) ? level : 'error' });
      bound.set(level, series);
    }
    series.add(1);
  };
};
