import type { CounterSpec } from './instruments.ts';

/** What the collector counts about itself (telemetry.md, section 1). */
export const SERIES_OVERFLOW: CounterSpec<'metric'> = {
  name: 'telemetry_series_overflow_total',
  help: 'Values of new label sets that came after metrics.max_series was reached, by metric.',
  unit: '{value}',
  labels: ['metric'],
};
export const INVALID_OBSERVATIONS: CounterSpec<'reason'> = {
  name: 'telemetry_invalid_observations_total',
  help: 'Values that a metric could not take and that changed nothing, by reason.',
  unit: '{value}',
  labels: ['reason'],
};
export const CALLBACK_ERRORS: CounterSpec<'metric'> = {
  name: 'telemetry_callback_errors_total',
  help: 'Reads of a metric that failed; its series was left out or folded, all others were not touched.',
  unit: '{error}',
  labels: ['metric'],
};
