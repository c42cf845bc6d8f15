import type { CallSite, LogLine } from '../../runtime/call.ts';
import { telemetryMessageOf } from '../../runtime/errors.ts';
import type { Delivery } from './driver.ts';
import { queueInFlight, queueMessages, queueProcessDuration, type Settlement } from './instruments.ts';

/** How one delivery ended. */
export interface Processed {
  readonly result: Settlement;
  /** What the handler failed with, or why it could not be settled as it should. */
  readonly failure?: unknown;
}

const LEVELS: Readonly<Record<Settlement, LogLine['level']>> = { ack: 'info', nack: 'warn', dead: 'error' };

/**
 * A queue's deliveries: metrics and the one line of each message. The span of a delivery is the function's own
 * (telemetry.md, section 2), so that there is none here.
 */
export const processSite = (queue: string, consumer: string, func: string): CallSite<Delivery, Processed> => ({
  surface: 'queue.process',
  operation: 'process',
  target: queue,
  metrics: {
    labels: { queue },
    calls: queueMessages,
    duration: queueProcessDuration,
    inFlight: queueInFlight,
    outcome: { label: 'result', of: ({ result }) => result, ofError: () => 'nack' },
  },
  log: {
    subsystem: 'queue',
    message: 'message processed',
    fields: { queue, consumer, function_id: func },
    line(outcome, { input }) {
      const { result, failure } = outcome.ok ? outcome.value : { result: 'nack' as const, failure: outcome.error };
      const fields = { message_id: input.id, attempt: input.attempt, result };
      return {
        level: LEVELS[result],
        fields: failure === undefined ? fields : { ...fields, error: telemetryMessageOf(failure) },
      };
    },
  },
});
