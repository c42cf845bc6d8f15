import type { Cancel, Clock } from '../../runtime/clock.ts';
import { type CallContext, rootContext } from '../../runtime/context.ts';
import type { LuaFrame } from '../../runtime/errors.ts';
import type { HostFunction, LuaOutcome, LuaRun, LuaThread } from '../../runtime/lua/engine.ts';
import { Suspension } from '../../runtime/lua/engine.ts';
import type { HostValue, LuaValue } from '../../runtime/lua/values.ts';

export interface FakeThread extends LuaThread {
  /** Ends the run: what was deferred is released, last first. */
  end(): Promise<void>;
  /** How many releases wait for the end. */
  readonly deferred: number;
  /** The error that ended the run, when a host function killed it. */
  readonly killed: unknown;
}

export interface FakeThreadOptions {
  readonly context?: CallContext;
  readonly pid?: string;
  readonly programId?: string;
  readonly frames?: readonly LuaFrame[];
}

/** A coroutine without an engine, to call host functions directly. */
export const fakeThread = (options: FakeThreadOptions = {}): FakeThread => {
  const context = options.context ?? rootContext;
  const frames = options.frames ?? [{ source: 'app/handler.lua', line: 7, name: 'handler', type: 'Lua' }];
  const releases = new Set<(outcome: LuaOutcome) => void | Promise<void>>();
  let killed: unknown;
  const run: LuaRun = {
    pid: options.pid ?? '{test@node|app:handler|1}',
    entryId: options.programId ?? 'app:handler',
    context,
    defer(release) {
      releases.add(release);
      return () => void releases.delete(release);
    },
    kill(error) {
      killed = error;
    },
  };
  return {
    run,
    context,
    where: () => frames[0],
    programId: () => options.programId ?? 'app:handler',
    traceback: () => frames,
    async end() {
      for (const release of [...releases].reverse()) await release({});
      releases.clear();
    },
    get deferred() {
      return releases.size;
    },
    get killed() {
      return killed;
    },
  };
};

/** Calls a host function and waits for its results, however it gives them. */
export const callHost = async (
  body: HostFunction | undefined,
  args: readonly LuaValue[] = [],
  thread: LuaThread = fakeThread(),
): Promise<readonly HostValue[]> => {
  if (body === undefined) throw new Error('there is no such host function');
  const out = body(thread, args);
  if (out instanceof Suspension) return new Promise((resolve, reject) => out.arm(resolve, reject));
  return (await out) ?? [];
};

export interface FakeClock extends Clock {
  /** Moves the time on and runs what falls due, in order. */
  advance(ms: number): void;
  /** Timers that have not fired. */
  readonly pending: number;
}

interface Timer {
  due: number;
  readonly every: number | undefined;
  readonly body: () => void;
}

/** A clock that stands still until it is moved. `wall` begins at 2026-01-31T12:00:00Z unless told otherwise. */
export const fakeClock = (wallStart = Date.UTC(2026, 0, 31, 12)): FakeClock => {
  let elapsed = 0;
  const timers = new Set<Timer>();
  const start = (ms: number, every: number | undefined, body: () => void): Cancel => {
    const timer: Timer = { due: elapsed + ms, every, body };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  return {
    now: () => elapsed,
    wall: () => wallStart + elapsed,
    systemTime: () => wallStart + elapsed,
    after: (ms, body) => start(ms, undefined, body),
    every: (ms, body) => start(ms, ms, body),
    advance(ms) {
      const end = elapsed + ms;
      for (;;) {
        const next = [...timers].sort((a, b) => a.due - b.due)[0];
        if (next === undefined || next.due > end) break;
        elapsed = next.due;
        if (next.every === undefined) timers.delete(next);
        else next.due += next.every;
        next.body();
      }
      elapsed = end;
    },
    get pending() {
      return timers.size;
    },
  };
};
