import type { CallContext } from '../../runtime/context.ts';
import { asCallError, type CallError, canceled } from '../../runtime/errors.ts';
import type { LuaChannel, LuaClass } from '../../runtime/lua/engine.ts';
import { FORMAT, Payload } from '../../runtime/lua/payload.ts';
import { hostObject } from '../../runtime/lua/values.ts';
import type { Span } from '../../runtime/trace.ts';
import { ASYNC_CALL, type AsyncCall, type Cancel } from './cancellation.ts';
import type { Functions } from './port.ts';
import type { FunctionArgs } from './site.ts';

type State =
  | { readonly name: 'pending' }
  | { readonly name: 'succeeded'; readonly payload: Payload }
  | { readonly name: 'failed' | 'canceled'; readonly error: CallError };

/** A call that runs beside its caller (lua/funcs.md, section 3). */
export class Future implements AsyncCall {
  readonly [hostObject] = true as const;
  /** The id that it calls. */
  readonly target: string;
  readonly channel: LuaChannel;
  state: State = { name: 'pending' };
  /** Tells the callee that nobody waits for it any more. */
  abort: (reason: CallError) => void = () => {};

  isStarted = false;
  span: Span | undefined;
  pid: string | undefined;

  constructor(target: string, channel: LuaChannel) {
    this.target = target;
    this.channel = channel;
  }

  settle(state: State): void {
    if (this.state.name !== 'pending') return;
    this.state = state;
    if (state.name === 'succeeded') this.channel.push(state.payload);
    else if (state.name === 'failed') this.channel.push(state.error);
    this.channel.close();
  }
}

/**
 * Starts its target when the caller next gives way: before that no result could be seen anyway, and a callee that never waits
 * must not be complete when `async` returns (lua/common.md, section 6).
 */
export const startFuture = (functions: Functions, args: FunctionArgs, context: CallContext, future: Future): void => {
  const own = new AbortController();
  const onAbort = (): void => own.abort(context.signal.reason);
  context.signal.addEventListener('abort', onAbort, { once: true });
  future.abort = (reason) => own.abort(reason);
  if (context.signal.aborted) onAbort();
  const called = context.with(ASYNC_CALL, future).withSignal(own.signal);
  const call = async (): Promise<void> => {
    try {
      if (future.state.name !== 'pending') return; // cancelled before it began
      future.isStarted = true;
      const { value } = await functions.call(future.target, args, called);
      future.settle({ name: 'succeeded', payload: new Payload(FORMAT.LUA, value) });
    } catch (error) {
      future.settle({ name: 'failed', error: asCallError(error) });
    } finally {
      context.signal.removeEventListener('abort', onAbort);
    }
  };
  queueMicrotask(() => void call());
};

export const futureClass = (cancel: Cancel): LuaClass<Future> => ({
  name: 'funcs.Future',
  constructor: Future,
  methods: {
    response: (self) => [self.channel],
    channel: (self) => [self.channel],
    is_complete: ({ state }) => [state.name !== 'pending'],
    is_canceled: ({ state }) => [state.name === 'canceled'],
    result: ({ state }) => {
      if (state.name === 'pending') return [undefined, undefined];
      return state.name === 'succeeded' ? [state.payload, undefined] : [undefined, state.error];
    },
    error: ({ state }) =>
      state.name === 'failed' || state.name === 'canceled' ? [state.error, true] : [undefined, false],
    cancel: (self, { context }) => {
      const error = canceled('canceled');
      const act = (): void => {
        self.settle({ name: 'canceled', error });
        self.abort(error);
      };
      const isPending = self.state.name === 'pending';
      cancel(self.target, { call: self, reason: error.message, isPending, act }, context);
      return [true, undefined];
    },
  },
});
