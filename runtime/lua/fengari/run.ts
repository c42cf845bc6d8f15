import { isPromise } from '../../call.ts';
import type { CallContext } from '../../context.ts';
import { asCallError, type CallError, internal, type LuaFrame } from '../../errors.ts';
import type { KillReason, LuaCallRequest, LuaCallResult, LuaLimits, LuaRun, LuaThread } from '../engine.ts';
import type { HostValue } from '../values.ts';
import type { LuaState as State } from './types.ts';
import type { Vm } from './vm.ts';

/** One coroutine of a run. The VM's thread points back to it (`L.perilune`). */
export class Coroutine implements LuaThread {
  readonly L: State;
  run: Run;
  context: CallContext;
  /** Who resumed it: undefined for the coroutines that the scheduler resumes itself. */
  resumer: Coroutine | undefined;
  /** It gave way to the host, not to its resumer: the resumers below it pass the yield on. */
  isHostYield = false;
  /** Something below it on the host's stack cannot yield (a sort comparator, a `gsub` callback, top-level code). */
  isPinned = false;
  /** What the host call that it waits for has given: delivered when it continues. */
  results: readonly HostValue[] | undefined;
  failure: { readonly error: unknown } | undefined;

  constructor(L: State, run: Run, context: CallContext) {
    this.L = L;
    this.run = run;
    this.context = context;
    L.perilune = this;
  }

  /** The coroutine of this chain that the scheduler resumes. */
  get root(): Coroutine {
    let root: Coroutine = this;
    while (root.resumer !== undefined) root = root.resumer;
    return root;
  }

  where(): LuaFrame | undefined {
    return this.run.vm.luaFrames(this, 1)[0];
  }

  programId(): string {
    return this.run.vm.programIdOf(this) ?? this.run.entryId;
  }

  traceback(): readonly LuaFrame[] {
    return this.run.vm.traceback(this);
  }
}

type Settle = { resolve: (result: LuaCallResult) => void; reject: (error: unknown) => void };
type Outcome = { readonly result: LuaCallResult } | { readonly error: CallError };

/** How long one call runs before others get their turn (ms). */
const SLICE_MS = 10;

/** One call: its coroutines, in the order in which they run, and what it must give back at its end. */
export class Run implements LuaRun {
  readonly vm: Vm;
  readonly pid: string;
  readonly entryId: string;
  readonly context: CallContext;
  readonly limits: LuaLimits;
  /** Told once, before the call settles: the instance is free again, or to be dropped. */
  readonly #onEnd: (clean: boolean) => void;
  readonly #onKilled: ((reason: KillReason) => void) | undefined;
  readonly #ready: { root: Coroutine; args: number }[] = [];
  #releases: (() => void | Promise<void>)[] | undefined;
  #settle: Settle | undefined;
  #outcome: Outcome | undefined;
  #main: Coroutine | undefined;
  #executing = false;
  #givesWay = false;
  #abort: (() => void) | undefined;
  /** Set by a kill; the hook and the wrappers of `pcall` look at it. */
  killed: CallError | undefined;
  ended = false;
  /** In the VM's queue of runs that have something ready. */
  isQueued = false;
  instructions = 0;
  /** Milliseconds on the event loop since the last host yield, before the current stretch. */
  cpuMs = 0;
  /** When the current stretch began (clock.now()). */
  stretchStart = 0;
  /** Frames of the last error that left a user coroutine: its own stack is gone when the call fails. */
  innerTrace: { readonly value: unknown; readonly frames: readonly LuaFrame[] } | undefined;

  constructor(vm: Vm, request: LuaCallRequest, onEnd: (clean: boolean) => void) {
    this.vm = vm;
    this.pid = request.pid;
    this.entryId = request.entryId;
    this.context = request.context;
    this.limits = request.limits;
    this.#onKilled = request.onKilled;
    this.#onEnd = onEnd;
  }

  /** Starts the main coroutine, whose function and arguments are on its stack. */
  start(main: Coroutine, args: number): LuaCallResult | Promise<LuaCallResult> {
    this.#main = main;
    const signal = this.context.signal;
    if (signal !== this.vm.neverAborted) {
      if (signal.aborted) this.kill(signal.reason);
      else {
        const onAbort = (): void => this.kill(signal.reason);
        signal.addEventListener('abort', onAbort, { once: true });
        this.#abort = () => signal.removeEventListener('abort', onAbort);
      }
    }
    if (!this.ended) {
      this.#ready.push({ root: main, args });
      this.execute();
    }
    if (this.#outcome !== undefined && this.#releases === undefined) return unwrap(this.#outcome);
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      if (this.#outcome !== undefined) this.#finish();
    });
  }

  /** For a call that must not deepen the host's stack: the same, later. */
  startLater(main: Coroutine, args: number): Promise<LuaCallResult> {
    return new Promise((resolve, reject) => {
      this.vm.later(() => {
        try {
          resolve(this.start(main, args));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** A new coroutine that first runs when the current one gives way. */
  spawn(coroutine: Coroutine, args: number): void {
    this.#ready.push({ root: coroutine, args });
  }

  /** What a coroutine waited for is there. Safe to call at any time, also after the end. */
  wake(coroutine: Coroutine, results: readonly HostValue[] | undefined, failure?: { error: unknown }): void {
    if (this.ended) return;
    coroutine.results = results;
    coroutine.failure = failure;
    this.#ready.push({ root: coroutine.root, args: 0 });
    if (!this.#executing) this.vm.enqueue(this);
  }

  /** Puts a coroutine that was stopped in the middle back in line, after the others and after pending I/O. */
  requeue(coroutine: Coroutine): void {
    this.#ready.push({ root: coroutine.root, args: 0 });
    this.#givesWay = true;
  }

  /** Runs what is ready until nothing is, or until the slice is over. */
  execute(): void {
    if (this.ended || this.#executing) return;
    const { clock } = this.vm;
    const outer = this.vm.current;
    const begin = clock.now();
    this.stretchStart = begin;
    this.#executing = true;
    this.vm.current = this;
    this.vm.nesting += 1;
    try {
      for (let next = this.#ready.shift(); next !== undefined && !this.ended; next = this.#ready.shift()) {
        this.#resume(next.root, next.args);
        const now = clock.now();
        this.cpuMs += now - this.stretchStart;
        this.stretchStart = now;
        if (this.#ready.length > 0 && (this.#givesWay || now - begin > SLICE_MS)) {
          this.#givesWay = false;
          this.vm.yieldToOthers(this);
          break;
        }
      }
    } finally {
      this.#executing = false;
      this.vm.nesting -= 1;
      this.vm.current = outer;
      // What ran here is not the outer call's own time.
      if (outer !== undefined) outer.stretchStart += clock.now() - begin;
    }
    if (this.#outcome !== undefined && this.#settle !== undefined) this.#finish();
  }

  #resume(root: Coroutine, args: number): void {
    const end = this.vm.resume(root, args);
    if (this.killed !== undefined) return this.#end({ error: this.killed }, false);
    if (end === 'yield') {
      if (!root.isHostYield) this.requeue(root); // `coroutine.yield` with nobody to yield to gives way
      return;
    }
    if (end === 'error') return this.#end({ error: this.vm.failureOf(root) }, true);
    if (root !== this.#main) return; // a spawned coroutine has ended: its results are discarded
    let outcome: Outcome;
    try {
      outcome = { result: this.vm.resultOf(root) };
    } catch (error) {
      outcome = { error: asCallError(error) };
    }
    this.#end(outcome, true);
  }

  /** A host yield: the counters of the budget start again (extensions.md, section 2). */
  resetBudget(): void {
    this.instructions = 0;
    this.cpuMs = 0;
    this.stretchStart = this.vm.clock.now();
  }

  overLimit(reason: KillReason, limit: string): void {
    if (this.killed !== undefined || this.ended) return;
    this.#onKilled?.(reason);
    this.kill(internal(`limit exceeded: ${limit} in ${this.entryId}`));
  }

  kill(error: unknown): void {
    if (this.ended || this.killed !== undefined) return;
    this.killed = asCallError(error);
    if (this.#executing) return; // the hook or the running host call ends it
    this.#end({ error: this.killed }, false);
    if (this.#settle !== undefined) this.#finish();
  }

  defer(release: () => void | Promise<void>): () => void {
    if (this.ended) {
      void this.#run(release); // its failures are reported, nobody waits for it any more
      return () => {};
    }
    this.#releases ??= [];
    const releases = this.#releases;
    releases.push(release);
    return () => {
      const at = releases.lastIndexOf(release);
      if (at >= 0) releases.splice(at, 1);
    };
  }

  /** Coroutines that are left are simply never resumed again: a VM without finalizers has nothing to unwind. */
  #end(outcome: Outcome, isClean: boolean): void {
    if (this.ended) return;
    this.ended = true;
    this.#ready.length = 0;
    this.#abort?.();
    this.#outcome = outcome;
    this.#onEnd(isClean);
    if (this.#releases?.length === 0) this.#releases = undefined;
  }

  /** Gives back what the call had taken, in reverse order, then settles. */
  #finish(): void {
    const settle = this.#settle as Settle;
    const outcome = this.#outcome as Outcome;
    this.#settle = undefined;
    const done = (): void => {
      if ('error' in outcome) settle.reject(outcome.error);
      else settle.resolve(outcome.result);
    };
    const pending: Promise<void>[] = [];
    for (const release of (this.#releases ?? []).toReversed()) {
      // a copy: a release may take itself back
      const promise = this.#run(release);
      if (promise !== undefined) pending.push(promise);
    }
    this.#releases = undefined;
    if (pending.length === 0) done();
    else void Promise.all(pending).then(done);
  }

  #run(release: () => void | Promise<void>): Promise<void> | undefined {
    const failed = (error: unknown): void => this.vm.onReleaseError(this, error);
    try {
      // A release written as an expression may return anything: only a promise is waited for.
      const out: unknown = release();
      return isPromise(out) ? (out as Promise<void>).catch(failed) : undefined;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }
}

const unwrap = (outcome: Outcome): LuaCallResult => {
  if ('error' in outcome) throw outcome.error;
  return outcome.result;
};
