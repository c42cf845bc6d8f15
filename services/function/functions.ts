import { type Call, isPromise, type Next } from '../../runtime/call.ts';
import { type CallOptions, callOptionsReader, mergedOptions, type WrittenOptions } from '../../runtime/call-options.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { Declared } from '../../runtime/entry.ts';
import type { Env } from '../../runtime/env.ts';
import { notFound } from '../../runtime/errors.ts';
import type { KillReason, LuaCallRequest, LuaCallResult, LuaInstance, LuaLimits } from '../../runtime/lua/engine.ts';
import type { BoundCounter, Collector } from '../../runtime/metrics/collector.ts';
import { PROGRAMS } from '../code/port.ts';
import { ASYNC_CALL } from './cancellation.ts';
import { functionKilled, functionWaiting } from './instruments.ts';
import type { FunctionConfig } from './kinds.ts';
import { instancePool, type Pool } from './pool.ts';
import { poolShape } from './pool-shape.ts';
import { type Functions, OPTIONS, type OtherTargets } from './port.ts';
import { type FunctionArgs, functionSite } from './site.ts';

/** The port, and what its component does. */
export interface FunctionPools extends Functions {
  /** The pid of a new call. */
  nextPid(functionId: string): string;
  /** Makes the instances of `warm_start`. */
  start(): void;
  stop(): void;
}

interface Callable {
  readonly site: Next<FunctionArgs, LuaCallResult>;
  readonly optionsOf: OptionsOf;
  readonly pool: () => Pool;
}

/** All declared functions, each with its pool and its site. */
export const functionPools = (env: Env): FunctionPools => {
  const readOptions = callOptionsReader();
  const nextUnique = counter();
  const nextPid = pidSource(env.settings.nodeName, nextUnique);
  const pools: Pool[] = [];
  const callables = new Map<string, Callable>();
  for (const declared of env.registry.declared<FunctionConfig>('function.lua')) {
    const { id, config } = declared;
    let made: Pool | undefined;
    const makePool = (): Pool => {
      const waiting = env.collector.upDownCounter(functionWaiting).bind({ function_id: id });
      const shape = poolShape(config.pool);
      made = instancePool(env.use(PROGRAMS).get(id), shape, env.clock, (change) => waiting.add(change));
      pools.push(made);
      return made;
    };
    const pool = (): Pool => made ?? makePool();
    const onKilled = killCounter(env.collector, id);
    const core = functionCore(env, declared, pool, nextPid, onKilled);
    const site = functionSite(declared, env.settings.spans.function, () => onKilled('timeout'));
    callables.set(id, {
      site: env.site(site, core),
      optionsOf: effectiveOptions(config.meta.options, readOptions),
      pool,
    });
  }
  const others: OtherTargets[] = [];
  return {
    has: (id) => callables.has(id) || others.some((targets) => targets.has(id)),
    nextUnique,
    nextPid,
    addTargets: (targets) => void others.push(targets),
    call(id, args, context) {
      const callable = callables.get(id);
      if (callable === undefined) {
        const other = others.find((targets) => targets.has(id));
        if (other === undefined) throw notFound('no handler registered for target', { target: id });
        return other.call(id, args, context);
      }
      const { written, options } = callable.optionsOf(context.get(OPTIONS));
      return callable.site({
        input: args,
        context: written === undefined ? context : context.with(OPTIONS, written),
        options,
      });
    },
    start() {
      for (const { pool } of callables.values()) pool().warm(rootContext);
    },
    stop() {
      for (const pool of pools) pool.close();
    },
  };
};

/** `written` is undefined where the context has it already. */
type OptionsOf = (own: WrittenOptions) => {
  readonly written: WrittenOptions | undefined;
  readonly options: CallOptions | undefined;
};
const NO_OPTIONS = { written: undefined, options: undefined };

/** The call's own options win over the entry's (lua/funcs.md, section 2). Each pair is merged and decoded once. */
const effectiveOptions = (
  entry: WrittenOptions,
  read: (written: WrittenOptions) => CallOptions | undefined,
): OptionsOf => {
  const isEmpty = Object.keys(entry).length === 0;
  const ofEntry = isEmpty ? NO_OPTIONS : { written: entry, options: read(entry) };
  const merged = new WeakMap<WrittenOptions, ReturnType<OptionsOf>>();
  return (own) => {
    if (own === OPTIONS.initial) return ofEntry;
    let both = merged.get(own);
    if (both === undefined) {
      const written = isEmpty ? own : mergedOptions(entry, own);
      both = { written: isEmpty ? undefined : written, options: read(written) };
      merged.set(own, both);
    }
    return both;
  };
};

/** Takes an instance, runs the handler on it and gives it back, without a promise where neither step needs one. */
const functionCore = (
  env: Env,
  { id, config }: Declared<FunctionConfig>,
  pool: () => Pool,
  nextPid: PidSource,
  onKilled: (reason: KillReason) => void,
): Next<FunctionArgs, LuaCallResult> => {
  const callee: Callee = { entryId: id, limits: effectiveLimits(env.settings.luaLimits, config.limits), onKilled };
  callee.standing = new Request(callee, [], rootContext, nextPid);
  const run = (
    instance: LuaInstance,
    { input, context }: Call<FunctionArgs>,
  ): LuaCallResult | Promise<LuaCallResult> => {
    let out: LuaCallResult | Promise<LuaCallResult>;
    try {
      out = instance.call(new Request(callee, input, context, nextPid));
    } catch (error) {
      pool().release(instance);
      throw error;
    }
    if (isPromise(out)) return out.finally(() => pool().release(instance));
    pool().release(instance);
    return out;
  };
  return (call) => {
    if (call.options?.problem !== undefined) throw call.options.problem;
    const instance = pool().acquire(call.context);
    return isPromise(instance) ? instance.then((one) => run(one, call)) : run(instance, call);
  };
};

/** What all calls of a function have in common. */
interface Callee extends Pick<LuaCallRequest, 'entryId' | 'limits' | 'onKilled'> {
  /** Never called: while there is one, V8 remembers the shape of all (see `standingCoroutine` of the engine). */
  standing?: Request;
}

/** One call. Its pid gets its text when somebody asks for it: most calls never do. */
class Request implements LuaCallRequest {
  readonly args: FunctionArgs;
  readonly context: CallContext;
  readonly entryId: string;
  readonly limits: LuaLimits;
  readonly onKilled: LuaCallRequest['onKilled'];
  readonly #nextPid: PidSource;
  #pid: string | undefined;

  constructor(callee: Callee, args: FunctionArgs, context: CallContext, nextPid: PidSource) {
    this.args = args;
    this.context = context;
    this.entryId = callee.entryId;
    this.limits = callee.limits;
    this.onKilled = callee.onKilled;
    this.#nextPid = nextPid;
  }

  get pid(): string {
    this.#pid ??= this.#newPid();
    return this.#pid;
  }

  /** Who cancels an async call names it by its pid. */
  #newPid(): string {
    const async = this.context.get(ASYNC_CALL);
    const pid = this.#nextPid(this.entryId);
    if (async !== undefined) async.pid = pid;
    return pid;
  }
}

/** The boot file's `lua.budget` under the entry's `limits` (extensions.md, section 2). */
const effectiveLimits = (defaults: LuaLimits, own: FunctionConfig['limits']): LuaLimits => ({
  instructions: own.instructions ?? defaults.instructions,
  cpuMs: own.cpu_ms ?? defaults.cpuMs,
  resultBytes: own.result_bytes ?? defaults.resultBytes,
});

/** A series for a reason exists from its first kill on. */
const killCounter = (collector: Collector, id: string): ((reason: KillReason) => void) => {
  const killed = collector.counter(functionKilled); // before Lua can take the name
  const counters = new Map<KillReason, BoundCounter>();
  return (reason) => {
    let counter = counters.get(reason);
    if (counter === undefined) {
      counter = killed.bind({ function_id: id, reason });
      counters.set(reason, counter);
    }
    counter.add(1);
  };
};

/** 1, 2, 3 ... */
const counter = (): (() => number) => {
  let last = 0;
  return () => {
    last += 1;
    return last;
  };
};

/** `{node@app:hello#1f|0x0001f}`: the unique part is never reused during a run (lua/process.md, section 1). */
type PidSource = (functionId: string) => string;
const pidSource = (nodeName: string, nextUnique: () => number): PidSource => {
  const node = nodeName === '' ? '' : `${nodeName}@`;
  return (functionId) => {
    const hex = nextUnique().toString(16);
    return `{${node}${functionId}#${hex}|0x${hex.padStart(5, '0')}}`;
  };
};
