import { isPromise } from '../../call.ts';
import type { CallContext, Cancellation } from '../../context.ts';
import { asCallError, type CallError, internal, type LuaFrame } from '../../errors.ts';
import type { KillReason, LuaCallRequest, LuaCallResult, LuaLimits, LuaOutcome, LuaRun } from '../engine.ts';
import type { HostValue } from '../values.ts';
import type { Coroutine } from './coroutine.ts';
import { deadlock, IdleTurns } from './idle-turns.ts';
import type { LuaCell } from './types.ts';
import type { Vm } from './vm.ts';

type Settle = { resolve: (result: LuaCallResult) => void; reject: (error: unknown) => void };

/** Modules and libraries of an environment by the name that `require` takes. */
export type Bound = ReadonlyMap<string, LuaCell>;

/** Whose environment a run uses. */
export interface RunOwner {
  readonly bound: Bound;
  /** Told once, before the call settles: the instance is free again, or to be dropped. */
  runEnded(isClean: boolean): void;
}

/** How long one call runs before others get their turn (ms). */
const SLICE_MS = 10;
/** A short call of a yielding function looks at the clock once in so many: reading it costs as much as the call. */
const CALLS_A_LOOK = 8;

/** The same for those that never give way, whose time counts against the budget all the same. */
const CALLS_A_MEASURE = 16;
/** Host calls that take longer between two looks (ms) are a reason to look at the budget. */
const LONG_MS = 1;

/** One call: its coroutines, in the order in which they run, and what it must give back at its end. */
export class Run implements LuaRun {
  readonly vm: Vm;
  readonly limits: LuaLimits;
  readonly #request: LuaCallRequest;
  readonly #owner: RunOwner;
  /** Coroutines to resume, in order. Made by the second one: most calls have only their main coroutine. */
  #ready: Coroutine[] | undefined;
  #releases: ((outcome: LuaOutcome) => void | Promise<void>)[] | undefined;
  #settle: Settle | undefined;
  #result: LuaCallResult | undefined;
  #error: CallError | undefined;
  #main: Coroutine | undefined;
  #executing = false;
  #givesWay = false;
  #hasSpawned = false;
  /** Coroutines that have not ended. */
  #live = 1;
  #idle: IdleTurns | undefined;
  /** Since the last plain yield something else has happened: a host call, a coroutine's start or end. */
  hasActed = false;
  #abort: (() => void) | undefined;
  /**
   * The context's signal while nobody listens to it: a call that never waits looks at it after host calls instead,
   * because in between nothing could abort it.
   */
  unwatched: Cancellation | undefined;
  /** The run below this one on the host's stack. */
  outer: Run | undefined;
  /** Set by a kill; the hook and the wrappers of `pcall` look at it. */
  killed: CallError | undefined;
  ended = false;
  /** In the VM's queue of runs that have something ready. */
  isQueued = false;
  instructions = 0;
  /** Milliseconds on the event loop since the last host yield, before the current stretch. */
  cpuMs = 0;
  /** When the current stretch began (clock.now()), later by the time that other calls took in it. */
  stretchStart = 0;
  /** When it did begin: what calls that this one makes take on the event loop keeps others waiting just the same. */
  turnStart = 0;
  /** When the clock was last looked at for `isOverdue`. */
  lookedAt = 0;
  /** Calls of yielding functions until the next look at the clock; 0 when the count hook has seen that it is time. */
  callsToLook = 1;
  /** The same for the calls of other host functions. */
  callsToMeasure = 1;
  measuredAt = 0;
  /** Frames of the last error that left a user coroutine: its own stack is gone when the call fails. */
  innerTrace: { readonly value: unknown; readonly frames: readonly LuaFrame[] } | undefined;

  constructor(vm: Vm, request: LuaCallRequest, owner: RunOwner) {
    this.vm = vm;
    this.limits = request.limits;
    this.#request = request;
    this.#owner = owner;
  }

  get bound(): Bound {
    return this.#owner.bound;
  }
  get pid(): string {
    return this.#request.pid;
  }
  get entryId(): string {
    return this.#request.entryId;
  }
  get context(): CallContext {
    return this.#request.context;
  }

  /** Starts the main coroutine, whose function and arguments are on its stack: without a promise unless it waits. */
  start(main: Coroutine): LuaCallResult | Promise<LuaCallResult> {
    this.#main = main;
    const { cancellation } = this.#request.context;
    if (cancellation !== this.vm.neverAborted) {
      this.unwatched = cancellation;
      this.checkSignal();
    }
    if (!this.ended) this.execute(main);
    if (this.ended && this.#releases === undefined) {
      if (this.#error !== undefined) throw this.#error;
      return this.#result as LuaCallResult;
    }
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      if (this.ended) this.#finish();
      else this.#watch();
    });
  }

  /** For a call that must not deepen the host's stack: the same, later. */
  startLater(main: Coroutine): Promise<LuaCallResult> {
    this.vm.waiting.add(this);
    return new Promise((resolve, reject) => {
      this.vm.later(() => {
        try {
          resolve(this.start(main));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Ends the call where its signal has been aborted and nobody listens to that. */
  checkSignal(): void {
    if (this.unwatched?.aborted === true) this.kill(this.unwatched.reason);
  }

  /** From now on this call waits, and whatever ends it comes from outside. */
  #watch(): void {
    this.vm.waiting.add(this);
    if (this.unwatched === undefined) return;
    this.unwatched = undefined;
    const { signal } = this.#request.context;
    const onAbort = (): void => this.kill(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#abort = () => signal.removeEventListener('abort', onAbort);
  }

  /** A new coroutine that first runs when the current one gives way. */
  spawn(coroutine: Coroutine, args: number): void {
    coroutine.args = args;
    this.#hasSpawned = true;
    this.#live += 1;
    this.hasActed = true;
    this.#line(coroutine);
  }

  /** What a coroutine waited for is there. Safe to call at any time, also after the end. */
  wake(coroutine: Coroutine, results: readonly HostValue[] | undefined, failure?: { error: unknown }): void {
    if (this.ended) return;
    coroutine.results = results;
    coroutine.failure = failure;
    this.#line(coroutine.root);
    if (!this.#executing) this.vm.enqueue(this);
  }

  /** Puts a coroutine that was stopped in the middle back in line, after the others and after pending I/O. */
  requeue(coroutine: Coroutine): void {
    this.#line(coroutine.root);
    this.#givesWay = true;
  }

  #line(root: Coroutine): void {
    if (this.#ready === undefined) this.#ready = [root];
    else this.#ready.push(root);
  }

  /** Runs what is ready, or `first`, until nothing is, or until the slice is over. */
  execute(first?: Coroutine): void {
    if (this.ended || this.#executing) return;
    const { vm } = this;
    const { clock } = vm;
    const outer = vm.current;
    const begin = clock.now();
    this.stretchStart = begin;
    this.turnStart = begin;
    this.#executing = true;
    this.outer = outer;
    vm.current = this;
    vm.nesting += 1;
    try {
      let next = first ?? this.#ready?.shift();
      while (next !== undefined) {
        this.#resume(next);
        if (this.ended) break;
        const now = clock.now();
        this.cpuMs += now - this.stretchStart;
        this.stretchStart = now;
        this.turnStart = now;
        const ready = this.#ready;
        if (ready === undefined || ready.length === 0) break;
        if (this.#givesWay || now - begin > SLICE_MS) {
          this.#givesWay = false;
          vm.yieldToOthers(this);
          break;
        }
        next = ready.shift();
      }
    } finally {
      this.#executing = false;
      this.outer = undefined;
      vm.nesting -= 1;
      vm.current = outer;
      // What ran here is not the outer call's own time.
      const request = this.#request;
      if (outer !== undefined || request.onTurn !== undefined) {
        const now = clock.now();
        const took = now - begin;
        if (outer !== undefined) {
          outer.stretchStart += took;
          if (now - outer.turnStart > vm.giveWayMs) outer.callsToLook = 0;
        }
        request.onTurn?.(took);
      }
    }
    if (this.ended && this.#settle !== undefined) this.#finish();
  }

  #resume(root: Coroutine): void {
    const { args } = root;
    root.args = 0;
    const end = this.vm.resume(root, args);
    if (this.unwatched !== undefined) this.checkSignal();
    if (this.killed !== undefined) return this.#end(undefined, this.killed, false);
    if (end === 'yield') {
      if (!root.isHostYield) this.#giveWay(root);
      return;
    }
    if (end === 'error') return this.#end(undefined, this.vm.failureOf(root), true);
    if (root !== this.#main) {
      this.#live -= 1; // a spawned coroutine has ended: its results are discarded
      this.instructions += root.L.basehookcount - root.L.hookcount;
      this.hasActed = true;
      return;
    }
    let result: LuaCallResult | undefined;
    let error: CallError | undefined;
    try {
      result = this.vm.resultOf(root);
    } catch (thrown) {
      error = asCallError(thrown);
    }
    if (this.killed === undefined && !this.#hasSpawned) this.vm.recycle(root);
    this.#end(result, error, true);
  }

  /** `coroutine.yield` with nobody to yield to gives way; the call fails where there is nobody to give way to. */
  #giveWay(root: Coroutine): void {
    this.requeue(root);
    const ready = this.#ready ?? [];
    const isAll = ready.length === this.#live; // nobody waits for the host
    this.#idle ??= new IdleTurns();
    const isStuck = this.#idle.add(root, this.hasActed || !isAll, this.#live, this.#hasSpawned);
    this.hasActed = false;
    if (isStuck) this.#end(undefined, deadlock(ready, this.#main), false);
  }

  /** A host yield of `coroutine`: the counters of the budget start again (extensions.md, section 2). */
  resetBudget(coroutine: Coroutine): void {
    // Its hook, and that of whoever resumed it, will add what has run since it counted last: that was before.
    let before = 0;
    for (let one: Coroutine | undefined = coroutine; one !== undefined; one = one.resumer) {
      before += one.L.basehookcount - one.L.hookcount;
    }
    this.instructions = -before;
    this.cpuMs = 0;
    this.stretchStart = this.vm.clock.now();
    this.turnStart = this.stretchStart;
  }

  /** Whether the current stretch is so long that others are due. Lua code that takes long shows in the count hook. */
  isOverdue(): boolean {
    this.callsToLook -= 1;
    if (this.callsToLook > 0) return false;
    const { clock, giveWayMs } = this.vm;
    const now = clock.now();
    const since = now - Math.max(this.lookedAt, this.turnStart);
    this.callsToLook = since > giveWayMs / 2 ? 1 : CALLS_A_LOOK; // calls that take long are looked at one by one
    this.lookedAt = now;
    return now - this.turnStart > giveWayMs;
  }

  /** Whether host calls take so long that the count hook must look at the budget before its count says so. */
  isSlow(): boolean {
    this.callsToMeasure -= 1;
    if (this.callsToMeasure > 0) return false;
    const now = this.vm.clock.now();
    const since = now - Math.max(this.measuredAt, this.turnStart);
    this.measuredAt = now;
    this.callsToMeasure = since > LONG_MS / 2 ? 1 : CALLS_A_MEASURE;
    return since > LONG_MS;
  }

  overLimit(reason: KillReason, limit: string): void {
    if (this.killed !== undefined || this.ended) return;
    this.#request.onKilled?.(reason);
    this.kill(internal(`limit exceeded: ${limit} in ${this.entryId}`));
  }

  kill(error: unknown): void {
    if (this.ended || this.killed !== undefined) return;
    this.killed = asCallError(error);
    if (this.#executing) return; // the hook or the running host call ends it
    this.#end(undefined, this.killed, false);
    if (this.#settle !== undefined) this.#finish();
  }

  defer(release: (outcome: LuaOutcome) => void | Promise<void>): () => void {
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
  #end(result: LuaCallResult | undefined, error: CallError | undefined, isClean: boolean): void {
    if (this.ended) return;
    this.ended = true;
    this.#ready = undefined;
    this.#abort?.();
    this.unwatched = undefined;
    this.#result = result;
    this.#error = error;
    this.#main = undefined;
    this.vm.waiting.delete(this);
    this.#owner.runEnded(isClean);
    if (this.#releases?.length === 0) this.#releases = undefined;
  }

  /** Gives back what the call had taken, in reverse order, then settles. */
  #finish(): void {
    const settle = this.#settle as Settle;
    this.#settle = undefined;
    const done = (): void => {
      if (this.#error !== undefined) settle.reject(this.#error);
      else settle.resolve(this.#result as LuaCallResult);
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

  #run(release: (outcome: LuaOutcome) => void | Promise<void>): Promise<void> | undefined {
    const failed = (error: unknown): void => this.vm.onReleaseError(this, error);
    try {
      // A release written as an expression may return anything: only a promise is waited for.
      const out: unknown = release(this.#error === undefined ? { value: this.#result?.value } : { error: this.#error });
      return isPromise(out) ? (out as Promise<void>).catch(failed) : undefined;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }
}
