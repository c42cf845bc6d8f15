import type { Env } from '../../runtime/env.ts';
import { messageOf, telemetryMessageOf } from '../../runtime/errors.ts';
import type { BoundCounter } from '../../runtime/metrics/collector.ts';
import type { COMPONENT_ERROR_KINDS } from '../../runtime/metrics/vocabulary.ts';
import { EVENTS } from '../events/port.ts';
import { cdcErrors } from './instruments.ts';

export interface FaultOptions {
  readonly sourceId: string;
  /** The label, and the path of events. */
  readonly slot: string;
  readonly eventSystem?: string;
}

/** What went wrong, for the line and the metrics. */
export interface Fault {
  /** The line's message. */
  readonly message: string;
  readonly error: unknown;
  readonly kind: (typeof COMPONENT_ERROR_KINDS)[number];
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Of the line; default `error`. `debug`: a line of the change itself has said it. */
  readonly level?: 'error' | 'warn' | 'debug';
  /** What does not work until it has recovered (`connection`, `tables`, the id of a consumer). Absent: all goes on working. */
  readonly lasting?: string;
}

/** The one place that every failure of a source passes (rule 76). */
export interface Faults {
  /** Writes the line (once in an episode, then at debug), counts it, marks the source degraded and sends the bus event. */
  report(fault: Fault): void;
  /** This works again: ends its episode. */
  recovered(lasting: string): void;
  /** The text of the fault that lasts; undefined while all is well. */
  readonly current: string | undefined;
}

export const createFaults = (env: Env, { sourceId, slot, eventSystem }: FaultOptions): Faults => {
  const logger = env.logger.subsystem('cdc');
  const health = env.health(sourceId);
  const errors = env.collector.counter(cdcErrors); // before Lua can take the name
  let counter: BoundCounter | undefined;
  const lastingFaults = new Map<string, string>();
  return {
    get current() {
      return [...lastingFaults.values()][0];
    },
    report({ message, error, kind, fields, level = 'error', lasting }) {
      const text = messageOf(error);
      const isRepeated = lasting !== undefined && lastingFaults.has(lasting);
      logger[isRepeated ? 'debug' : level](message, {
        source: sourceId,
        slot,
        ...fields,
        error: telemetryMessageOf(error),
      });
      counter ??= errors.bind({ slot });
      counter.add(1);
      health.error(kind);
      if (lasting !== undefined) {
        lastingFaults.set(lasting, text);
        health.degraded(true);
      }
      if (eventSystem !== undefined) {
        env.find(EVENTS)?.send({ system: eventSystem, kind: 'error', path: slot, data: { slot, error: text } });
      }
    },
    recovered(lasting) {
      if (!lastingFaults.delete(lasting) || lastingFaults.size > 0) return;
      health.degraded(false);
      logger.info('change capture works again', { source: sourceId, slot });
    },
  };
};
