import type { CallContext } from '../../runtime/context.ts';
import { asCallError, type CallError, canceled } from '../../runtime/errors.ts';
import type { LuaChannel, LuaClass } from '../../runtime/lua/engine.ts';
import { FORMAT, Payload } from '../../runtime/lua/payload.ts';
import { hostObject } from '../../runtime/lua/values.ts';
import type { Functions } from './port.ts';
import type { FunctionArgs } from './site.ts';

type State =
  | { readonly name: 'pending' }
  | { readonly name: 'succeeded'; readonly payload: Payload }
  | { readonly name: 'failed' | 'canceled'; readonly error: CallError };

/** A call that runs beside its caller (lua/funcs.md, section 3). */
export class Future {
  readonly [hostObject] = true as const;
  readonly channel: LuaChannel;
  state: State = { name: 'pending' };
  /** Tells the callee that nobody waits for it any more. */
  abort: (reason: CallError) => void = () => {};

  constructor(channel: LuaChannel) {
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
 * Starts `id` when the caller next gives way: before that no result could be seen anyway, and a callee that never waits
 * must not be complete when `async` returns (lua/common.md, section 6).
 */
export const startFuture = (
  functions: Functions,
  id: string,
  args: FunctionArgs,
  context: CallContext,
  future: Future,
): void => {
  const own = new AbortController();
  const onAbort = (): void => own.abort(context.signal.reason);
  context.signal.addEventListener('abort', onAbort, { once: true });
  future.abort = (reason) => own.abort(reason);
  if (context.signal.aborted) onAbort();
  const call = async (): Promise<void> => {
    try {
      const { value } = await functions.call(id, args, context.withSignal(own.signal));
      future.settle({ name: 'succeeded', payload: new Payload(FORMAT.LUA, value) });
    } catch (error) {
      future.settle({ name: 'failed', error: asCallError(error) });
    } finally {
      context.signal.removeEventListener('abort', onAbort);
    }
  };
  queueMicrotask(() => void call());
};

export const futureClass: LuaClass<Future> = {
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
    cancel: (self) => {
      const reason = canceled('canceled');
      const isPending = self.state.name === 'pending';
      self.settle({ name: 'canceled', error: reason });
      if (isPending) self.abort(reason);
      return [true, undefined];
    },
  },
};
