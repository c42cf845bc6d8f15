import { CallError, telemetryMessageOf } from '../../runtime/errors.ts';
import type { Health } from '../../runtime/health.ts';
import type { Logger } from '../../runtime/logger.ts';
import { COMPONENT_ERROR_KINDS } from '../../runtime/metrics/vocabulary.ts';

/** What a component was at when it failed; `run`: it ended by itself. */
export type Step = 'stop' | 'start' | 'open' | 'run';
type Kind = Parameters<Health['error']>[0];

export interface Failure {
  readonly at: Step;
  readonly cause: unknown;
  /** It begins an episode: the component has run, or was never started, until now. */
  readonly isNew: boolean;
  /** Until the next attempt; undefined: there is none. */
  readonly delayMs: number | undefined;
  readonly restarts: number;
}

/** The lines of one component's failures: an episode has one at its begin, and one where it ends (telemetry.md, section 6). */
export const failureLog = (component: string, logger: Logger) => ({
  failed({ at, cause, isNew, delayMs, restarts }: Failure): void {
    const reason = telemetryMessageOf(cause);
    const fields = { component, restarts, ...(delayMs !== undefined && { retry_in_ms: Math.round(delayMs) }) };
    const isStart = at === 'start' || at === 'open';
    if (isNew && isStart) logger.error(`${component} could not ${at}: ${reason}`, fields);
    else if (delayMs === undefined) {
      logger.error(`${component} has failed and is not started again: ${reason}`, fields);
    } else if (isNew) logger.warn(`${component} has failed and is started again: ${reason}`, fields);
    else logger.debug(`${component} has failed once more: ${reason}`, { ...fields, at });
  },
  recovered(restarts: number): void {
    logger.info(`${component} runs again`, { component, restarts });
  },
  exited(): void {
    logger.debug(`${component} has ended`, { component });
  },
  /** The label of `<ns>_component_errors_total`. */
  kindOf(at: Step, cause: unknown): Kind {
    if (at !== 'run') return 'init';
    if (!(cause instanceof CallError)) return 'internal';
    if (cause.kind === 'Timeout') return 'timeout';
    return COMPONENT_ERROR_KINDS.find((kind) => kind === cause.telemetryKind) ?? 'internal';
  },
});
