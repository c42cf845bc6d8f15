import type { CallContext } from '../../context.ts';
import type { LuaFrame } from '../../errors.ts';
import type { LuaThread } from '../engine.ts';
import type { HostValue } from '../values.ts';
import type { Run } from './run.ts';
import type { LuaState } from './types.ts';

/**
 * One coroutine of a run. The VM's thread points back to it (`L.perilune`) for as long as it is its own: once the call has
 * ended, the thread may serve another one, and this object knows nothing of that.
 */
export class Coroutine implements LuaThread {
  readonly L: LuaState;
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
  /** How many arguments wait on its stack for its first resume. */
  args = 0;
  /** Lua has a reference to its thread, which is then never used again for another call. */
  isShared = false;

  constructor(L: LuaState, run: Run, context: CallContext) {
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

  /** Whether the thread is still its own. */
  get #isLive(): boolean {
    return this.L.perilune === this;
  }

  where(): LuaFrame | undefined {
    return this.#isLive ? this.run.vm.luaFrames(this, 1)[0] : undefined;
  }

  programId(): string {
    return (this.#isLive ? this.run.vm.programIdOf(this) : undefined) ?? this.run.entryId;
  }

  traceback(): readonly LuaFrame[] {
    return this.#isLive ? this.run.vm.traceback(this) : [];
  }
}
