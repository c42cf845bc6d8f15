/**
 * A side that renders less would win.
 * @throws Error when the text does not hold this many lines with this beginning (after an optional namespace).
 */
export const checkSamples = (side: string, text: string, start: string, count: number): void => {
  const found = text.split('\n').filter((line) => !line.startsWith('#') && line.includes(start)).length;
  if (found !== count) throw new Error(`${side} rendered ${found} lines of ${start}...}, expected ${count}`);
};
