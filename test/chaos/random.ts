/** Numbers from 0 to below 1, the same ones for the same seed (mulberry32). */
export interface Random {
  next(): number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  /** Lowercase hexadecimal digits, never all of them 0. */
  hex(digits: number): string;
}

export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    hex(digits) {
      const text = Array.from({ length: digits }, () => between(0, 15).toString(16)).join('');
      return /^0+$/.test(text) ? text.replace(/0$/, '1') : text;
    },
  };
};
