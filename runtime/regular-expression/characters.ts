/** Whether a code point belongs to a class. */
export type CharacterTest = (codePoint: number) => boolean;

const inside =
  (...ranges: readonly (readonly [number, number])[]): CharacterTest =>
  (c) =>
    ranges.some(([first, last]) => c >= first && c <= last);

const DIGIT = inside([48, 57]);
const UPPER = inside([65, 90]);
const LOWER = inside([97, 122]);
const ALPHA: CharacterTest = (c) => UPPER(c) || LOWER(c);
const ALNUM: CharacterTest = (c) => DIGIT(c) || ALPHA(c);
export const WORD: CharacterTest = (c) => ALNUM(c) || c === 95;
/** `\s` of RE2: without the vertical tab, and ASCII only, as `\d` and `\w` are. */
const SPACE = inside([9, 10], [12, 13], [32, 32]);

const NAMED: Readonly<Record<string, CharacterTest>> = {
  d: DIGIT,
  D: (c) => !DIGIT(c),
  w: WORD,
  W: (c) => !WORD(c),
  s: SPACE,
  S: (c) => !SPACE(c),
};
/** The class behind `\d` and the like; undefined for other letters. */
export const namedClass = (letter: string): CharacterTest | undefined => NAMED[letter];

const POSIX: Readonly<Record<string, CharacterTest>> = {
  alnum: ALNUM,
  alpha: ALPHA,
  ascii: inside([0, 127]),
  blank: inside([9, 9], [32, 32]),
  cntrl: inside([0, 31], [127, 127]),
  digit: DIGIT,
  graph: inside([33, 126]),
  lower: LOWER,
  print: inside([32, 126]),
  punct: (c) => c >= 33 && c <= 126 && !ALNUM(c),
  space: inside([9, 13], [32, 32]),
  upper: UPPER,
  word: WORD,
  xdigit: inside([48, 57], [65, 70], [97, 102]),
};
export const posixClass = (name: string): CharacterTest | undefined =>
  Object.hasOwn(POSIX, name) ? POSIX[name] : undefined;

const ESCAPED: Readonly<Record<string, number>> = { 0: 0, a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
/** The code point of an escaped letter: itself for punctuation; undefined where the escape means nothing. */
export const escapedCharacter = (letter: string): number | undefined =>
  /[\w]/.test(letter) && letter !== '_' ? ESCAPED[letter] : letter.codePointAt(0);

/** A Unicode category (`L`, `Lu`) or script (`Greek`); undefined where there is none of that name. */
export const unicodeClass = (name: string): CharacterTest | undefined => {
  if (!/^\w+$/.test(name)) return undefined;
  for (const property of [`General_Category=${name}`, `Script=${name}`]) {
    try {
      const expression = new RegExp(`\\p{${property}}`, 'u');
      return (c) => expression.test(String.fromCodePoint(c));
    } catch {
      // The engine has no other way to say that it does not know the name: the next kind of name is tried.
    }
  }
  return undefined;
};
