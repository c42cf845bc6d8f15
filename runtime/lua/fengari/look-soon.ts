import type { Coroutine } from './coroutine.ts';
import type { LuaState, NativeFunction } from './types.ts';

/** Steps of a native function on more bytes, or on more items of a table, take longer than the look that follows. */
export const LONG_BYTES = 4096;
const LONG_ITEMS = 64;

/**
 * Lets the count hook run before the next instruction: a thousand instructions that each sort a long table, or search a long
 * text, would otherwise pass before it looks at the budget. What it has counted stays right.
 */
export const lookSoon = (L: LuaState): void => {
  let coroutine = L.perilune as Coroutine | undefined;
  for (; coroutine !== undefined; coroutine = coroutine.resumer) {
    const { L: thread, run } = coroutine; // who resumed it goes on where it has ended
    if (thread.hookcount <= 1) continue;
    run.instructions -= thread.hookcount - 1;
    thread.hookcount = 1;
  }
};

const bytesAt = (L: LuaState, position: number): number => {
  const slot = L.stack[position];
  if (slot === undefined || !slot.ttisstring()) return 0;
  const { bytes, peText } = slot.value as { readonly bytes: Uint8Array | null; readonly peText?: string };
  return bytes === null ? (peText as string).length : bytes.length;
};

/** A function whose time grows with its first argument, a text. Asked for before, as it may fail. */
export const lookAfterLongText =
  (f: NativeFunction, long = LONG_BYTES): NativeFunction =>
  (L) => {
    if (bytesAt(L, L.ci.funcOff + 1) > long) lookSoon(L);
    return f(L);
  };

/** A function whose time grows with its result, a text. */
export const lookAfterLongResult =
  (f: NativeFunction): NativeFunction =>
  (L) => {
    const results = f(L);
    if (bytesAt(L, L.top - 1) > LONG_BYTES) lookSoon(L);
    return results;
  };

/** A function whose time grows with its first argument, a table; `least`: with fewer arguments it takes no time. */
export const lookAfterLongTable =
  (f: NativeFunction, least = 1): NativeFunction =>
  (L) => {
    const slot = L.stack[L.ci.funcOff + 1];
    const size: number = slot?.ttistable() === true ? slot.value.strong.size : 0;
    if (size > LONG_ITEMS && L.top - L.ci.funcOff > least) lookSoon(L);
    return f(L);
  };
