import { messageOf } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import type { CounterSpec } from '../../runtime/metrics/instruments.ts';

/** Closed set of `reason` (telemetry.md, section 1). */
const SERVER_ERROR_REASONS = ['handler', 'predicate', 'listener'] as const;
export type ServerErrorReason = (typeof SERVER_ERROR_REASONS)[number];

const SERVER_ERRORS: CounterSpec<'reason'> = {
  name: 'telemetry_server_errors_total',
  help: 'Failures of the operations port: a handler or predicate that threw, or its listener.',
  unit: '{error}',
  labels: ['reason'],
};

/** Counts every failure; logs the first of an episode, and again after it went well in between. */
export interface ServerErrors {
  failed(reason: ServerErrorReason, error: unknown): void;
  succeeded(reason: ServerErrorReason): void;
}

export const serverErrors = (collector: Collector, logger: Logger): ServerErrors => {
  const counter = collector.counter(SERVER_ERRORS);
  const failing = new Set<ServerErrorReason>();
  return {
    failed(reason, error) {
      counter.bind({ reason }).add(1);
      if (failing.has(reason)) return;
      // Each death of the listener is an event of its own, not an episode that ends.
      if (reason !== 'listener') failing.add(reason);
      logger.error(`operations port: ${reason} failed`, { reason, error: messageOf(error) });
    },
    succeeded: (reason) => void failing.delete(reason),
  };
};
