import type { Next } from '../../runtime/call.ts';
import { type CallContext, contextKey } from '../../runtime/context.ts';
import type { Env } from '../../runtime/env.ts';
import { type Span, TRACE } from '../../runtime/trace.ts';

/** What the call behind a future tells of itself while it runs, for who cancels it. */
export interface AsyncCall {
  readonly isStarted: boolean;
  /** Its span, where it is sampled. */
  span: Span | undefined;
  /** The pid of its latest attempt, once somebody has asked for it. */
  pid: string | undefined;
}
/** Private to that one call. */
export const ASYNC_CALL = contextKey<AsyncCall | undefined>('async call', undefined, { isPrivate: true });

export interface Cancellation {
  readonly call: AsyncCall;
  readonly reason: string;
  /** False: it has ended already. */
  readonly isPending: boolean;
  readonly act: () => void;
}

/**
 * The site of the cancels of one function's futures: a span of its own that the callee's span links to, and one line; a
 * future that is complete already is a warning (telemetry.md, section 2).
 */
export const cancelSite = (env: Env, id: string): Next<Cancellation, boolean> =>
  env.site<Cancellation, boolean>(
    {
      surface: 'function',
      operation: 'cancel',
      target: id,
      span: env.settings.spans.function
        ? {
            name: `${id}.cancel`,
            kind: 'internal',
            attributes: {},
            detail: ({ input: { call, reason } }) => ({
              attributes: { 'lua.process.id': call.pid, 'termination.reason': reason },
            }),
          }
        : undefined,
      log: {
        subsystem: 'function',
        message: 'function cancelled',
        fields: { function_id: id },
        line: (outcome, { input: { call, reason, isPending } }) => ({
          level: outcome.ok && isPending ? 'info' : 'warn',
          fields: { pid: call.pid, reason, ...(!isPending && { error: 'already complete' }) },
        }),
      },
    },
    ({ input: { call, isPending, act }, context }) => {
      if (!isPending) return false;
      const trace = context.get(TRACE);
      if (trace !== undefined) call.span?.addLink({ trace });
      act();
      return true;
    },
  );

/** Cancels through the site of the function. */
export type Cancel = (id: string, cancellation: Cancellation, context: CallContext) => void;

/** Sites are made when they are first needed. A process that runs has a site of its own for its cancels: one span each. */
export const cancellations = (env: Env, nextPid: (id: string) => string): Cancel => {
  const sites = new Map<string, Next<Cancellation, boolean>>();
  const siteOf = (id: string): Next<Cancellation, boolean> => {
    const made = sites.get(id) ?? cancelSite(env, id);
    if (env.registry.get(id) !== undefined) sites.set(id, made); // any text may be called
    return made;
  };
  return (id, cancellation, context) => {
    const { call, isPending, act } = cancellation;
    if (isPending && call.isStarted && env.registry.get(id)?.kind === 'process.lua') return act();
    call.pid ??= nextPid(id);
    void siteOf(id)({ input: cancellation, context }); // nothing in it waits
  };
};
