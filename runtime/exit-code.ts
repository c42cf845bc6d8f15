/**
 * The code that a program ends with for a number: its whole part's low 8 bits, as the operating system takes them;
 * 1 for what has no whole part (processes-declarations.md, section 7).
 */
export const exitCodeOf = (n: number): number => (Number.isFinite(n) ? ((Math.trunc(n) % 256) + 256) % 256 : 1);
