import { type Call, isPromise, type Next } from '../../runtime/call.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import { notFound, StartError } from '../../runtime/errors.ts';
import type { KillReason, LuaCallResult, LuaInstance, LuaLimits } from '../../runtime/lua/engine.ts';
import type { BoundCounter, Collector } from '../../runtime/metrics/collector.ts';
import { functionKilled, functionWaiting } from './instruments.ts';
import type { FunctionConfig } from './kinds.ts';
import { instancePool, type Pool } from './pool.ts';
import { poolShape } from './pool-shape.ts';
import { type Functions, OPTIONS } from './port.ts';
import { loadPrograms, type Programs } from './programs.ts';
import { type FunctionArgs, functionSite } from './site.ts';

/** The port, and what its component does. */
export interface FunctionPools extends Functions {
  /** Loads every program and makes the instances of `warm_start`. @throws StartError naming every program that does not load. */
  start(): void;
  stop(): void;
}

interface Callable {
  readonly site: Next<FunctionArgs, LuaCallResult>;
  /** `meta.options`, as written; undefined when there are none. */
  readonly options: Readonly<Record<string, unknown>> | undefined;
  readonly pool: () => Pool;
}

/** All declared functions, each with its pool and its site. Programs load at the start, or at the first call before it. */
export const functionPools = (env: Env): FunctionPools => {
  let programs: Programs | undefined;
  const load = (): Programs => {
    programs ??= loadPrograms(env.engine, env.registry);
    return programs;
  };
  const nextPid = pidSource(env.settings.nodeName);
  const pools = new Map<string, Pool>();
  const callables = new Map<string, Callable>();
  for (const declared of env.registry.declared<FunctionConfig>('function.lua')) {
    const { id, config } = declared;
    const pool = (): Pool => {
      let made = pools.get(id);
      if (made === undefined) {
        const waiting = env.collector.upDownCounter(functionWaiting).bind({ function_id: id });
        made = instancePool(load().get(id), poolShape(config.pool), env.clock, (change) => waiting.add(change));
        pools.set(id, made);
      }
      return made;
    };
    const core = functionCore(env, declared, pool, () => nextPid(id));
    const options = Object.keys(config.meta.options).length > 0 ? config.meta.options : undefined;
    callables.set(id, { site: env.site(functionSite(declared, env.settings.spans.function), core), options, pool });
  }
  return {
    has: (id) => callables.has(id),
    call(id, args, context) {
      const callable = callables.get(id);
      if (callable === undefined) throw notFound('no handler registered for target', { target: id });
      return callable.site({ input: args, context: withOptions(context, callable.options) });
    },
    start() {
      const { problems } = load();
      if (problems.length > 0) {
        throw new StartError(problems.map(({ id, path, message }) => `${id}: ${path}: ${message}`).join('\n'));
      }
      for (const { pool } of callables.values()) pool().warm(rootContext);
    },
    stop() {
      for (const pool of pools.values()) pool.close();
    },
  };
};

/** The call's own options win over the entry's, key by key (lua/funcs.md, section 2). */
const withOptions = (context: CallContext, defaults: Callable['options']): CallContext => {
  if (defaults === undefined) return context;
  const given = context.get(OPTIONS);
  return context.with(OPTIONS, given === OPTIONS.initial ? defaults : { ...defaults, ...given });
};

/** Takes an instance, runs the handler on it and gives it back, without a promise where neither step needs one. */
const functionCore = (
  env: Env,
  { id, config }: Declared<FunctionConfig>,
  pool: () => Pool,
  nextPid: () => string,
): Next<FunctionArgs, LuaCallResult> => {
  const limits = effectiveLimits(env.settings.luaLimits, config.limits);
  const onKilled = killCounter(env.collector, id);
  const run = (
    instance: LuaInstance,
    { input, context }: Call<FunctionArgs>,
  ): LuaCallResult | Promise<LuaCallResult> => {
    let out: LuaCallResult | Promise<LuaCallResult>;
    try {
      out = instance.call({ args: input, context, pid: nextPid(), entryId: id, limits, onKilled });
    } catch (error) {
      pool().release(instance);
      throw error;
    }
    if (isPromise(out)) return out.finally(() => pool().release(instance));
    pool().release(instance);
    return out;
  };
  return (call) => {
    const instance = pool().acquire(call.context);
    return isPromise(instance) ? instance.then((one) => run(one, call)) : run(instance, call);
  };
};

/** The boot file's `lua.budget` under the entry's `limits` (extensions.md, section 2). */
const effectiveLimits = (defaults: LuaLimits, own: FunctionConfig['limits']): LuaLimits => ({
  instructions: own.instructions ?? defaults.instructions,
  cpuMs: own.cpu_ms ?? defaults.cpuMs,
  resultBytes: own.result_bytes ?? defaults.resultBytes,
});

/** A series for a reason exists from its first kill on. */
const killCounter = (collector: Collector, id: string): ((reason: KillReason) => void) => {
  const counters = new Map<KillReason, BoundCounter>();
  return (reason) => {
    let counter = counters.get(reason);
    if (counter === undefined) {
      counter = collector.counter(functionKilled).bind({ function_id: id, reason });
      counters.set(reason, counter);
    }
    counter.add(1);
  };
};

/** `{node@app:hello#1f|0x0001f}`: the unique part is never reused during a run (lua/process.md, section 1). */
const pidSource = (nodeName: string): ((functionId: string) => string) => {
  const node = nodeName === '' ? '' : `${nodeName}@`;
  let calls = 0;
  return (functionId) => {
    calls += 1;
    const hex = calls.toString(16);
    return `{${node}${functionId}#${hex}|0x${hex.padStart(5, '0')}}`;
  };
};
