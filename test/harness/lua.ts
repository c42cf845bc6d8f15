import { systemClock } from '../../runtime/clock.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import { CallError } from '../../runtime/errors.ts';
import {
  type HostFunction,
  type LuaEngine,
  type LuaInstance,
  type LuaLimits,
  type LuaThread,
  Suspension,
} from '../../runtime/lua/engine.ts';
import { fengariEngine } from '../../runtime/lua/fengari/engine.ts';
import type { HostValue, LuaValue } from '../../runtime/lua/values.ts';

export const NO_LIMITS: LuaLimits = { instructions: 0, cpuMs: 0, resultBytes: 0 };

export interface LuaBench {
  readonly engine: LuaEngine;
  readonly printed: string[];
  readonly releaseErrors: unknown[];
  /** Compiles and instantiates a chunk that returns a function. */
  instance(source: string, options?: { modules?: string[]; path?: string }): LuaInstance;
  /** Runs a function body (`return ...`) and gives its first result. */
  run(body: string, options?: RunOptions): Promise<LuaValue>;
}
export interface RunOptions {
  readonly args?: readonly HostValue[];
  readonly limits?: Partial<LuaLimits>;
  readonly context?: CallContext;
  readonly onKilled?: (reason: string) => void;
}

/** A real engine with a host module `host`: `sleep(ms)`, `later(v)` (a promise), `now(v)`, `fail(text)`, `raise(kind)`. */
export const luaBench = (
  functions: Readonly<Record<string, HostFunction>> = {},
  // On a busy machine a turn given away would reorder what a test observes.
  options: { giveWayMs?: number } = { giveWayMs: 60_000 },
): LuaBench => {
  const clock = systemClock();
  const printed: string[] = [];
  const releaseErrors: unknown[] = [];
  const engine = fengariEngine({
    clock,
    print: (_thread: LuaThread, text) => printed.push(text),
    onReleaseError: (_run, error) => releaseErrors.push(error),
    limits: { ...NO_LIMITS, cpuMs: 5000 },
    giveWayMs: options.giveWayMs,
  });
  engine.defineClass({
    name: 'error',
    constructor: CallError,
    concatenates: true,
    tostring: (self: CallError) => self.message,
    methods: { kind: (self) => [self.kind], message: (self) => [self.message], retryable: (self) => [self.retryable] },
  });
  engine.define({
    name: 'host',
    isGlobal: true,
    yields: ['sleep', 'later', 'turn'],
    byReference: ['same'],
    functions: {
      sleep: (thread, [ms]) =>
        new Suspension((resume) => thread.run.defer(clock.after(ms as number, () => resume([])))),
      later: async (_t, args) => args,
      turn: () => [],
      now: (_t, args) => args as HostValue[],
      same: (_t, args) => args as HostValue[],
      fail: (_t, [text]) => {
        throw new Error(String(text));
      },
      raise: (_t, [kind]) => {
        throw new CallError('from the host', { kind: kind as 'Timeout', retryable: true });
      },
      failLater: async (_t, [text]) => {
        throw new CallError(String(text), { kind: 'Unavailable' });
      },
      ...functions,
    },
  });
  let n = 0;
  const instance: LuaBench['instance'] = (source, chunk = {}) => {
    n += 1;
    return engine
      .load({
        id: `test:chunk${n}`,
        source,
        path: chunk.path ?? 'chunk.lua',
        modules: chunk.modules ?? [],
        imports: {},
      })
      .instantiate(rootContext);
  };
  return {
    engine,
    printed,
    releaseErrors,
    instance,
    async run(body, options = {}) {
      const one = instance(`return function(...) ${body}\nend`);
      const result = await one.call({
        args: options.args ?? [],
        context: options.context ?? rootContext,
        pid: `{test|${n}}`,
        entryId: `test:chunk${n}`,
        limits: { ...NO_LIMITS, ...options.limits },
        onKilled: options.onKilled,
      });
      return result.value;
    },
  };
};
