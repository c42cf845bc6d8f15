import { type CallError, internal } from '../../errors.ts';
import type { Coroutine } from './coroutine.ts';

/** A turn of more instructions than this has done something: it computes, and lets others run in between. */
const IDLE_INSTRUCTIONS = 16;
/** Coroutines may hand the turn round for a while, until one of them goes on; after so many rounds none will. */
const IDLE_ROUNDS = 1000;

/**
 * Finds the deadlock of lua/common.md, section 4: coroutines that do nothing but `coroutine.yield()`, with nobody else to
 * run and nothing of the host to wait for. Made at the first such yield: other calls do not pay for it.
 */
export class IdleTurns {
  /** Turns in a row in which nothing was done. */
  #count = 0;
  /** What is left of each coroutine's count of instructions until the count hook runs, as its last yield left it. */
  readonly #left = new WeakMap<Coroutine, number>();
  /** What the count hook had counted at the last yield of any of them. */
  #counted = 0;

  /** `root` has yielded to nobody. True: nothing will ever come of it. */
  add(root: Coroutine, hasActed: boolean, live: number, hasSpawned: boolean): boolean {
    const left = root.L.hookcount;
    const { instructions } = root.run;
    const took = (this.#left.get(root) ?? left) - left + (instructions - this.#counted);
    this.#left.set(root, left);
    this.#counted = instructions;
    const isIdle = !hasActed && took <= IDLE_INSTRUCTIONS;
    this.#count = isIdle ? this.#count + 1 : 0;
    return this.#count >= (hasSpawned ? IDLE_ROUNDS * live : 1);
  }
}

/** One line for each coroutine, where it stands; the main one first. */
export const deadlock = (roots: readonly Coroutine[], main: Coroutine | undefined): CallError => {
  const mainFirst = roots.toSorted((a, b) => Number(b === main) - Number(a === main));
  const lines = mainFirst.map((root) => {
    const frame = root.where();
    const place = frame === undefined ? '?' : `${frame.source}:${frame.line}`;
    return `\n  ${place}: ${root === main ? 'the main coroutine' : 'a spawned coroutine'}`;
  });
  return internal(`deadlock: all coroutines blocked with no pending operations${lines.join('')}`, {
    frames: main?.traceback() ?? [],
  });
};
