import { type CallOutcome, type CallSite, isPromise, type LogLine, type Next } from '../../runtime/call.ts';
import type { CallContext } from '../../runtime/context.ts';
import type { Env } from '../../runtime/env.ts';
import { asCallError, messageOf, telemetryMessageOf } from '../../runtime/errors.ts';
import type { LuaValue } from '../../runtime/lua/values.ts';
import { type Attributes, type SpanLink, TRACE, type TraceContext } from '../../runtime/trace.ts';
import type { Actor } from './actor.ts';
import { processActive, processLifetime, processStarted, processTerminated } from './instruments.ts';
import type { Life } from './life.ts';

/** Why a process has ended, as its spans say it. */
const reasonOf = (error: unknown): string => (error === undefined ? 'completed' : telemetryMessageOf(error));

const pidOf = (actor: Actor): Attributes => ({ 'lua.process.id': actor.pid });
const linkTo = (trace: TraceContext | undefined): readonly SpanLink[] => (trace === undefined ? [] : [{ trace }]);

const line = (outcome: CallOutcome<LuaValue>, { input }: { input: Life }): LogLine => {
  const { pid, isTerminated } = input.actor;
  if (outcome.ok) return { level: 'debug', fields: { pid } };
  // Whoever terminated it has its own line about that (rule 71).
  const { kind } = asCallError(outcome.error);
  return { level: isTerminated ? 'debug' : 'error', fields: { pid, error: telemetryMessageOf(outcome.error), kind } };
};

/** The site around the life of a process: the long span, its counts, its one line (telemetry.md). */
export const lifeSite = (env: Env, id: string): CallSite<Life, LuaValue> => ({
  surface: 'process',
  operation: 'life',
  target: id,
  span: env.settings.spans.process
    ? {
        name: id,
        kind: 'internal',
        attributes: {},
        // A root of its own: a life may outlast the spawner's trace by days.
        detail: ({ input, context }) => ({
          root: true,
          attributes: pidOf(input.actor),
          links: linkTo(context.get(TRACE)),
        }),
        started: (span, { input }) => {
          input.actor.span = span;
        },
        result: () => ({ 'termination.reason': 'completed' }),
      }
    : undefined,
  metrics: {
    labels: {},
    starts: processStarted,
    calls: processTerminated,
    duration: processLifetime,
    inFlight: processActive,
    outcome: { label: 'result', of: () => 'completed', ofError: () => 'error' },
  },
  log: { subsystem: 'process', message: 'process ended', fields: { process: id }, line },
});

/** Begins and ends of one entry's processes as spans without a length. Nothing that fails here reaches the process. */
export interface LifecycleSpans {
  /** A child of the spawner's. */
  started(actor: Actor, context: CallContext): void;
  /** A child of the long one. */
  terminated(actor: Actor, error: unknown, context: CallContext): void;
}

interface Moment {
  readonly actor: Actor;
  readonly attributes: Attributes;
}

/** `<id>.started` and `<id>.terminated` (`otel.process.trace_lifecycle`). */
export const lifecycleSpans = (env: Env, id: string): LifecycleSpans => {
  const log = env.logger.subsystem('process');
  const failed = (error: unknown): void =>
    log.error('the start or end of a process could not be shown', { process: id, error: messageOf(error) });
  const site = (event: 'started' | 'terminated') => {
    const next = env.site<Moment, void>(
      {
        surface: 'process',
        operation: event,
        target: id,
        span: env.settings.spans.processLifecycle
          ? {
              name: `${id}.${event}`,
              kind: 'internal',
              attributes: { 'lifecycle.event': event },
              detail: ({ input }) => ({ attributes: { ...pidOf(input.actor), ...input.attributes } }),
            }
          : undefined,
      },
      () => {},
    );
    return (moment: Moment, context: CallContext): void => {
      try {
        const out: unknown = next({ input: moment, context });
        if (isPromise(out)) out.catch(failed);
      } catch (error) {
        failed(error);
      }
    };
  };
  const started = site('started');
  const terminated = site('terminated');
  return {
    started: (actor, context) => started({ actor, attributes: {} }, context),
    terminated: (actor, error, context) =>
      terminated({ actor, attributes: { 'termination.reason': reasonOf(error) } }, context),
  };
};

export interface Cancellation {
  readonly pid: string;
  /** Undefined: it is gone. */
  readonly target: Actor | undefined;
  readonly reason: string;
  readonly act: (target: Actor) => void;
}

/**
 * The site of cancels and terminations of one entry's processes: a span of its own that the target's long span links
 * to, and one line; a target that is gone is a warning (telemetry.md, section 2).
 */
export const cancelSite = (env: Env, id: string): Next<Cancellation, boolean> =>
  env.site<Cancellation, boolean>(
    {
      surface: 'process',
      operation: 'cancel',
      target: id,
      span: env.settings.spans.process
        ? {
            name: `${id}.cancel`,
            kind: 'internal',
            attributes: {},
            detail: ({ input }) => ({
              attributes: { 'lua.process.id': input.pid, 'termination.reason': input.reason },
            }),
          }
        : undefined,
      log: {
        subsystem: 'process',
        message: 'process cancelled',
        fields: { process: id },
        line: (outcome, { input: { pid, reason } }) => ({
          level: outcome.ok && outcome.value ? 'info' : 'warn',
          fields: { pid, reason, ...(outcome.ok && !outcome.value && { error: 'process not found' }) },
        }),
      },
    },
    ({ input, context }) => {
      const { target, act } = input;
      if (target === undefined) return false;
      const trace = context.get(TRACE);
      if (trace !== undefined) target.span?.addLink({ trace });
      act(target);
      return true;
    },
  );
