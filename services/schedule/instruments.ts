import type { CounterSpec } from '../../runtime/metrics/instruments.ts';

/** Every tick ends up in exactly one of these series. */
export const scheduleRuns: CounterSpec<'schedule' | 'result'> = {
  name: 'schedule_runs_total',
  help: 'Runs of a schedule since the start, by outcome; skipped: one before it had not ended, or the schedule was stopped.',
  unit: '{run}',
  labels: ['schedule', 'result'],
};
