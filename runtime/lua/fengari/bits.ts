/**
 * Bitwise operators on integral doubles with the results of 64-bit two's complement (Lua 5.3, section 3.4.2): exact
 * where the result is below 2^53, rounded beyond. JavaScript's own operators have 32 bits, so that larger numbers are
 * taken in two halves.
 */
const HIGH = 2 ** 32;
const high = (n: number): number => Math.floor(n / HIGH) | 0;
const join = (hi: number, lo: number): number => hi * HIGH + (lo >>> 0);
const isSmall = (a: number, b: number): boolean => (a | 0) === a && (b | 0) === b;

export const bitAnd = (a: number, b: number): number => (isSmall(a, b) ? a & b : join(high(a) & high(b), a & b));
export const bitOr = (a: number, b: number): number => (isSmall(a, b) ? a | b : join(high(a) | high(b), a | b));
export const bitXor = (a: number, b: number): number => (isSmall(a, b) ? a ^ b : join(high(a) ^ high(b), a ^ b));
export const bitNot = (a: number): number => -1 - a;

/** `a << places`; negative places shift right, and vacant bits are zeros (a logical shift). */
export const shiftLeft = (a: number, places: number): number => {
  if (places === 0) return a;
  if (places >= 64 || places <= -64) return 0;
  if (places > 0) {
    const shifted = a * 2 ** places;
    return Number.isSafeInteger(shifted) ? shifted : Number(BigInt.asIntN(64, BigInt(a) << BigInt(places)));
  }
  if (a >= 0) return Math.floor(a / 2 ** -places);
  return Number(BigInt.asUintN(64, BigInt(a)) >> BigInt(-places));
};
