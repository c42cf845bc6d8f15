import { charCodeAt } from '../char-code.ts';
/** Where to look in the texts of one label to tell most of them apart: three characters, and how long the text is. */
export interface PrintPlaces {
  readonly first: number;
  readonly second: number;
  readonly third: number;
}

/** Beyond the end of every text: no character is read. */
const NOWHERE = 2 ** 30;
export const LENGTH_ONLY: PrintPlaces = { first: NOWHERE, second: NOWHERE, third: NOWHERE };

/** So many texts, and characters from their beginning, are looked at: choosing takes a millisecond or so, at intervals that double. */
const MOST_TEXTS = 32;
const MOST_PLACES = 48;
const SEEN_BITS = 12;

/** A number made of a few characters of `text`: equal for equal texts, and different for most others. */
export const printOf = (text: string, { first, second, third }: PrintPlaces): number => {
  const { length } = text;
  return (
    (first < length ? charCodeAt(text, first) : 0) ^
    ((second < length ? charCodeAt(text, second) : 0) << 7) ^
    ((third < length ? charCodeAt(text, third) : 0) << 14) ^
    (length << 20)
  );
};

/** The places that tell the most of these texts apart; a place that would add nothing is none. */
export const printPlaces = (texts: readonly string[]): PrintPlaces => {
  const step = Math.max(texts.length / MOST_TEXTS, 1);
  const some: string[] = [];
  for (let i = 0; i < texts.length; i += step) some.push(texts[Math.floor(i)] as string);
  const longest = some.reduce((most, { length }) => Math.max(most, length), 0);
  const last = Math.min(longest, MOST_PLACES) - 1;
  const isPart = some.length < texts.length;

  /** How many different numbers there are; a table that is used again and again, because sets take ten times as long. */
  const seen = new Int32Array(1 << SEEN_BITS);
  let round = 0;
  const countOf = (number: (text: string) => number): number => {
    round += 1;
    let count = 0;
    for (const text of some) {
      const at = Math.imul(number(text), 0x9e3779b1) >>> (32 - SEEN_BITS);
      if (seen[at] !== round) count += 1;
      seen[at] = round;
    }
    return count;
  };
  const countApart = (places: PrintPlaces): number => countOf((text) => printOf(text, places));
  /** Beside the texts that are looked at there are others: a place of many characters may tell those apart. */
  const variety = (at: number): number =>
    isPart ? countOf((text) => (at < text.length ? charCodeAt(text, at) : 0)) - 1 : 0;
  const chosen: number[] = [];
  /** The best next place beside those that are chosen. */
  const next = (placesWith: (at: number) => PrintPlaces): number => {
    let best = NOWHERE;
    let most = countApart(placesWith(NOWHERE)) * MOST_TEXTS;
    if (!isPart && most === some.length * MOST_TEXTS) return NOWHERE;
    // From the end: of two that are as good, the later one will tell longer texts apart as well.
    for (let at = last; at >= 0; at -= 1) {
      if (chosen.includes(at)) continue;
      const score = countApart(placesWith(at)) * MOST_TEXTS + variety(at);
      if (score > most) [best, most] = [at, score];
    }
    chosen.push(best);
    return best;
  };
  const first = next((at) => ({ ...LENGTH_ONLY, first: at }));
  const second = next((at) => ({ first, second: at, third: NOWHERE }));
  return { first, second, third: next((at) => ({ first, second, third: at })) };
};
