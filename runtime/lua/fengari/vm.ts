import type { Clock } from '../../clock.ts';
import type { Cancellation } from '../../context.ts';
import { CallError, type LuaFrame } from '../../errors.ts';
import { luaTypeOf } from '../arguments.ts';
import type { KillReason, LuaCallResult } from '../engine.ts';
import { isLuaString, LuaTable, type LuaValue, textOf } from '../values.ts';
import type { Bridge } from './bridge.ts';
import type { Coroutine } from './coroutine.ts';
import type { Frames } from './frames.ts';
import type { Run } from './run.ts';
import type { Fengari, LuaState } from './types.ts';

/** How many instructions pass between two looks at the clock. */
export const HOOK_INTERVAL = 1000;
/** How long one run of Lua may hold the event loop before others get a turn (ms). */
const PREEMPT_MS = 10;
/** What a kill throws where the VM cannot yield; `pcall` sees the run's `killed` and throws it again. */
const KILL_TEXT = 'killed';
/** Threads kept for other calls, and the longest stack that one may have: what a peak took is not kept for ever. */
const MAX_IDLE_THREADS = 256;
const MAX_IDLE_STACK = 200;
const EMPTY_TABLE = new LuaTable();

/** What runs, wakes and ends coroutines in one Lua state. */
export interface Vm {
  readonly fengari: Fengari;
  readonly main: LuaState;
  readonly bridge: Bridge;
  readonly frames: Frames;
  readonly clock: Clock;
  /** That of contexts that nobody can cancel: no listener is put on their signal. */
  readonly neverAborted: Cancellation;
  /** A call that never waits gives way at a yielding function after this long (architecture.md, "Engine rules"). */
  readonly giveWayMs: number;
  /** The run whose Lua is on the host's stack now. */
  current: Run | undefined;
  /** How many runs are on the host's stack. */
  nesting: number;
  /** Never resumed: see `standingCoroutine`. */
  standing: Coroutine | undefined;
  /** Runs that wait for something, and those that wait for their start. */
  readonly waiting: Set<Run>;
  /** A thread with the count hook on, its stack empty: new, or one that an ended call has left. */
  thread(instructions: number): LuaState;
  /** Keeps the thread of a main coroutine that has ended well for another call, unless something may still refer to it. */
  recycle(main: Coroutine): void;
  resume(root: Coroutine, args: number): 'end' | 'yield' | 'error';
  /** What a root coroutine that ended with an error failed with. */
  failureOf(root: Coroutine): CallError;
  /** The results of a main coroutine that has ended. @throws CallError as lua/common.md, section 4 says. */
  resultOf(root: Coroutine): LuaCallResult;
  /** Remembers where an error left a user coroutine. */
  noteError(inner: Coroutine): void;
  luaFrames(coroutine: Coroutine, count: number): readonly LuaFrame[];
  traceback(coroutine: Coroutine): readonly LuaFrame[];
  programIdOf(coroutine: Coroutine): string | undefined;
  registerSource(source: object, programId: string): void;
  /** Ends this coroutine's turn in the middle: yields through its resumers where it can. */
  stop(coroutine: Coroutine): number;
  isSuspendable(coroutine: Coroutine): boolean;
  enqueue(run: Run): void;
  yieldToOthers(run: Run): void;
  later(body: () => void): void;
  onReleaseError(run: Run, error: unknown): void;
}

export interface VmOptions {
  readonly fengari: Fengari;
  readonly main: LuaState;
  readonly bridge: Bridge;
  readonly frames: Frames;
  readonly clock: Clock;
  readonly neverAborted: Cancellation;
  readonly giveWayMs: number;
  readonly onReleaseError: (run: Run, error: unknown) => void;
}

export const createVm = (options: VmOptions): Vm => {
  const { fengari, main, bridge, frames, clock } = options;
  const { lua } = fengari;
  const { LUA_OK, LUA_YIELD } = fengari.defs.thread_status;
  const { LUA_MINSTACK } = fengari.defs;
  const programIds = new WeakMap<object, string>();
  const idleThreads: LuaState[] = [];
  let queue: Run[] = [];
  let isScheduled = false;

  const drain = (): void => {
    isScheduled = false;
    const begin = clock.now();
    const runs = queue;
    queue = [];
    for (const [i, run] of runs.entries()) {
      if (i > 0 && clock.now() - begin > PREEMPT_MS) {
        queue = runs.slice(i).concat(queue); // pending I/O gets its turn before the rest
        schedule(setImmediate);
        return;
      }
      run.isQueued = false;
      run.execute();
    }
  };
  const schedule = (defer: (body: () => void) => void): void => {
    if (isScheduled) return;
    isScheduled = true;
    defer(drain);
  };

  /** Runs that have given way. One at a time where they are long: what waits for I/O or a timer is between any two of them. */
  let others: Run[] = [];
  let isNextScheduled = false;
  const runOthers = (): void => {
    isNextScheduled = false;
    const begin = clock.now();
    const runs = others;
    others = [];
    for (const [i, run] of runs.entries()) {
      if (i > 0 && clock.now() - begin > PREEMPT_MS / 2) {
        others = runs.slice(i).concat(others);
        scheduleOthers();
        return;
      }
      run.execute();
    }
  };
  const scheduleOthers = (): void => {
    if (isNextScheduled) return;
    isNextScheduled = true;
    setImmediate(runOthers);
  };

  const isSuspendable = (coroutine: Coroutine): boolean => coroutine.L.nny === 0 && !coroutine.isPinned;

  const stop = (coroutine: Coroutine): number => {
    coroutine.isHostYield = true;
    return lua.lua_yield(coroutine.L, 0);
  };

  /** The count hook: budget, cancellation and fairness. */
  const hook = (L: LuaState): void => {
    const coroutine = L.perilune as Coroutine | undefined;
    if (coroutine === undefined) return;
    const { run } = coroutine;
    run.checkSignal();
    run.instructions += L.basehookcount;
    const { limits } = run;
    const stretch = clock.now() - run.stretchStart;
    if (limits.instructions > 0 && run.instructions >= limits.instructions) {
      run.overLimit('instructions', `instructions ${limits.instructions}`);
    } else if (limits.cpuMs > 0 && run.cpuMs + stretch > limits.cpuMs) {
      run.overLimit('cpu' satisfies KillReason, `cpu_ms ${limits.cpuMs}`);
    }
    if (run.killed !== undefined || run.ended) {
      if (isSuspendable(coroutine)) {
        stop(coroutine);
        return;
      }
      L.errfunc = 0; // a message handler must not run any more Lua
      lua.lua_pushliteral(L, KILL_TEXT);
      lua.lua_error(L);
    }
    if (stretch > options.giveWayMs) run.callsToLook = 0;
    if (stretch > PREEMPT_MS && isSuspendable(coroutine)) {
      run.requeue(coroutine);
      stop(coroutine);
    }
  };
  lua.lua_sethook(main, hook, lua.LUA_MASKCOUNT, HOOK_INTERVAL);

  const { LUA_TTABLE } = fengari.defs.constant_types;
  /** What an error was raised with. Of a table only that it is one matters: it is not copied. */
  const raisedValue = (L: LuaState): LuaValue => {
    const slot = L.stack[L.top - 1];
    return slot.type === LUA_TTABLE ? EMPTY_TABLE : bridge.read(slot, 'host');
  };

  const callError = (value: LuaValue, trace: readonly LuaFrame[]): CallError => {
    if (value instanceof CallError) {
      return value.kind !== '' && value.frames.length > 0
        ? value
        : value.with({ kind: value.kind || 'Internal', frames: value.frames.length > 0 ? value.frames : trace });
    }
    const message = isLuaString(value)
      ? textOf(value)
      : typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : `(error object is a ${luaTypeOf(value)} value)`;
    return new CallError(message, { kind: 'Internal', frames: trace });
  };

  return {
    fengari,
    main,
    bridge,
    frames,
    clock,
    neverAborted: options.neverAborted,
    giveWayMs: options.giveWayMs,
    current: undefined,
    nesting: 0,
    standing: undefined,

    waiting: new Set(),

    thread(instructions) {
      const isUsual = instructions === 0 || instructions >= HOOK_INTERVAL;
      const kept = isUsual ? idleThreads.pop() : undefined;
      if (kept !== undefined) return kept;
      const L = lua.lua_newthread(main);
      lua.lua_pop(main, 1); // JavaScript's collector keeps it as long as somebody refers to it
      if (!isUsual) lua.lua_sethook(L, hook, lua.LUA_MASKCOUNT, instructions);
      return L;
    },
    recycle(main) {
      const { L } = main;
      const base = L.base_ci;
      const isClean =
        L.ci === base &&
        L.status === LUA_OK &&
        L.nny === 1 &&
        L.errorJmp === null &&
        L.errfunc === 0 &&
        L.allowhook === 1;
      if (!isClean || main.isShared || L.basehookcount !== HOOK_INTERVAL) return;
      if (idleThreads.length >= MAX_IDLE_THREADS || L.stack.length > MAX_IDLE_STACK) return;
      L.perilune = undefined;
      L.hookcount = L.basehookcount;
      const { stack } = L;
      for (let i = 1; i < stack.length; i += 1) stack[i] = undefined; // what the call has left, also above the top
      L.top = 1;
      base.next = null;
      base.top = 1 + LUA_MINSTACK;
      idleThreads.push(L);
    },
    resume(root, args) {
      root.isHostYield = false;
      const status = lua.lua_resume(root.L, null, args);
      if (status === LUA_OK) return 'end';
      return status === LUA_YIELD ? 'yield' : 'error';
    },
    failureOf(root) {
      const value = raisedValue(root.L);
      const inner = root.run.innerTrace;
      const outer = frames.all(root.L);
      const isInner =
        inner !== undefined &&
        (inner.value === value ||
          (isLuaString(value) && isLuaString(inner.value) && textOf(value).endsWith(textOf(inner.value))));
      return callError(value, isInner ? [...inner.frames, ...outer] : outer);
    },
    resultOf(root) {
      const { L, run } = root;
      const count = lua.lua_gettop(L);
      if (count === 0) return { value: undefined, count };
      const base = L.ci.funcOff + 1;
      if (count > 1) {
        const second = bridge.read(L.stack[base + 1], 'host');
        if (isLuaString(second)) throw new CallError(textOf(second), { kind: 'Internal', retryable: false });
        if (second instanceof CallError) throw second.kind === '' ? second.with({ kind: 'Internal' }) : second;
      }
      const limit = run.limits.resultBytes;
      const measure = limit > 0 ? { left: limit } : undefined;
      const value = bridge.read(L.stack[base], 'boundary', measure);
      if (measure !== undefined && measure.left < 0) {
        run.overLimit('result', `result_bytes ${limit}`);
        throw run.killed;
      }
      return { value, count };
    },
    noteError(inner) {
      const { run } = inner;
      const value = raisedValue(inner.L);
      const own = frames.all(inner.L);
      run.innerTrace = {
        value,
        frames: run.innerTrace?.value === value ? [...(run.innerTrace?.frames ?? []), ...own] : own,
      };
    },
    luaFrames: (coroutine, count) => frames.lua(coroutine.L, count),
    traceback(coroutine) {
      const all: LuaFrame[] = [];
      for (let one: Coroutine | undefined = coroutine; one !== undefined; one = one.resumer)
        all.push(...frames.all(one.L));
      return all;
    },
    programIdOf(coroutine) {
      const source = frames.sourceOf(coroutine.L);
      return source === undefined ? undefined : programIds.get(source);
    },
    registerSource(source, programId) {
      programIds.set(source, programId);
    },
    stop,
    isSuspendable,
    enqueue(run) {
      if (run.isQueued) return;
      run.isQueued = true;
      queue.push(run);
      schedule(queueMicrotask);
    },
    yieldToOthers(run) {
      others.push(run);
      scheduleOthers();
    },
    later(body) {
      setImmediate(body);
    },
    onReleaseError: options.onReleaseError,
  };
};
