import type { CallSite } from '../../runtime/call.ts';
import { telemetryMessageOf } from '../../runtime/errors.ts';
import { scheduleRuns } from './instruments.ts';
import type { ScheduleConfig } from './kinds.ts';
import type { TickLoss } from './shared-ticks.ts';

/** A run: its root span, its count and its line (extensions.md, section 6; telemetry.md, section 6). */
export const runSite = (id: string, { cron, func, process, host }: ScheduleConfig): CallSite<undefined, unknown> => ({
  surface: 'schedule',
  operation: 'run',
  target: id,
  component: id,
  span: {
    name: id,
    kind: 'internal',
    attributes: { 'faas.trigger': 'timer', 'faas.cron': cron },
    detail: () => ({ root: true }),
  },
  metrics: {
    labels: { schedule: id },
    calls: scheduleRuns,
    outcome: { label: 'result', of: () => 'success', ofError: () => 'error' },
  },
  log: {
    subsystem: 'schedule',
    message: 'schedule ran',
    fields: {
      schedule: id,
      ...(func !== undefined && { function_id: func }),
      ...(process !== undefined && { process }),
      ...(host !== undefined && { host }),
    },
    line: (outcome) =>
      outcome.ok
        ? { level: 'info', fields: { result: 'success' } }
        : { level: 'error', fields: { result: 'error', error: telemetryMessageOf(outcome.error) } },
  },
});

/** A tick that made no run: counted, and no more than a fact for who debugs, since a slow job may skip all day. */
export const skipSite = (id: string): CallSite<string, void> => ({
  surface: 'schedule',
  operation: 'skip',
  target: id,
  metrics: {
    labels: { schedule: id },
    calls: scheduleRuns,
    outcome: { label: 'result', of: () => 'skipped', ofError: () => 'skipped' },
  },
  log: {
    subsystem: 'schedule',
    message: 'schedule skipped a run',
    fields: { schedule: id },
    line: (_outcome, { input }) => ({ level: 'debug', fields: { reason: input } }),
  },
});

/** A tick that may or may not have run elsewhere, since its lock could not be asked: an error, though nothing ran here. */
export const lossSite = (id: string, lockId: string): CallSite<TickLoss, void> => ({
  surface: 'schedule',
  operation: 'lose',
  target: id,
  metrics: {
    labels: { schedule: id },
    calls: scheduleRuns,
    outcome: { label: 'result', of: () => 'error', ofError: () => 'error' },
  },
  log: {
    subsystem: 'schedule',
    message: 'schedule did not run',
    fields: { schedule: id, lock: lockId },
    // Of an episode the first line is the lock's own; the counter still ticks.
    line: (_outcome, { input }) => ({ level: input.isTold ? 'debug' : 'error', fields: { error: input.reason } }),
  },
});
