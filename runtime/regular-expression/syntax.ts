import { type CharacterTest, escapedCharacter, namedClass, posixClass, unicodeClass, WORD } from './characters.ts';

/** Why a text is no regular expression, for whoever wrote it. */
export class PatternError extends Error {}

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'wordBoundary' | 'noWordBoundary';
export type Node =
  | { readonly type: 'character'; readonly test: CharacterTest }
  | { readonly type: 'assertion'; readonly of: Assertion }
  | { readonly type: 'sequence'; readonly items: readonly Node[] }
  | { readonly type: 'alternatives'; readonly items: readonly Node[] }
  | { readonly type: 'repetition'; readonly item: Node; readonly min: number; readonly max: number };

interface Flags {
  readonly ignoresCase: boolean;
  readonly dotAll: boolean;
  readonly multiline: boolean;
}
const NO_FLAGS: Flags = { ignoresCase: false, dotAll: false, multiline: false };
/** As in RE2: more than this is refused, not tried. */
const MAX_COUNT = 1000;
const MAX_DEPTH = 200;
const NEWLINE = 10;

/** RE2's syntax: all of it that can be matched in linear time. @throws PatternError */
export const parsePattern = (pattern: string): Node => {
  const parser = new Parser([...pattern]);
  const node = parser.alternatives(NO_FLAGS, 0);
  if (!parser.isAtEnd) throw new PatternError("')' without '('");
  return node;
};

class Parser {
  readonly #text: readonly string[];
  #at = 0;

  constructor(text: readonly string[]) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** Up to the end or a `)`; a `(?i)` inside counts for the rest of it. */
  alternatives(outer: Flags, depth: number): Node {
    if (depth > MAX_DEPTH) throw new PatternError(`groups nested deeper than ${MAX_DEPTH}`);
    let flags = outer;
    const branches: Node[][] = [[]];
    while (!this.isAtEnd && this.#peek() !== ')') {
      if (this.#take('|')) branches.push([]);
      else if (this.#take('(')) {
        const group = this.#group(flags, depth);
        if ('type' in group) branches.at(-1)?.push(this.#repeated(group));
        else flags = group;
      } else branches.at(-1)?.push(...this.#item(flags));
    }
    const sequences = branches.map((items): Node => ({ type: 'sequence', items }));
    return sequences.length === 1 ? (sequences[0] as Node) : { type: 'alternatives', items: sequences };
  }

  /** After `(`: a group, or flags that stand alone. */
  #group(outer: Flags, depth: number): Node | Flags {
    let flags = outer;
    if (this.#take('?')) {
      const rest = this.#text.slice(this.#at, this.#at + 2).join('');
      if (/^(?:[=!]|<[=!])/.test(rest)) throw new PatternError('look-around is not supported');
      if (this.#take('P') || this.#peek() === '<') this.#name();
      else {
        flags = this.#flags(outer);
        if (this.#take(')')) return flags;
        if (!this.#take(':')) throw new PatternError("unknown group. Write '(?:...)'");
      }
    }
    const node = this.alternatives(flags, depth + 1);
    if (!this.#take(')')) throw new PatternError("'(' without ')'");
    return node;
  }

  #name(): void {
    const end = this.#text.indexOf('>', this.#at);
    const name = this.#text.slice(this.#at, end + 1).join('');
    if (!/^<\w+>$/.test(name)) throw new PatternError("a named group is written '(?P<name>...)'");
    this.#at = end + 1;
  }

  #flags(outer: Flags): Flags {
    const flags = { ...outer };
    let value = true;
    for (; !this.isAtEnd && /[-imsU]/.test(this.#peek()); this.#at += 1) {
      const letter = this.#peek();
      if (letter === '-') value = false;
      else if (letter === 'i') flags.ignoresCase = value;
      else if (letter === 'm') flags.multiline = value;
      else if (letter === 's') flags.dotAll = value; // `U` changes what is captured, not whether something matches
    }
    return flags;
  }

  /** One item with its repetition; several for a quoted text. */
  #item(flags: Flags): Node[] {
    const letter = this.#next();
    switch (letter) {
      case '[':
        return [this.#repeated(character(this.#set(), flags))];
      case '.':
        return [this.#repeated({ type: 'character', test: flags.dotAll ? () => true : (c) => c !== NEWLINE })];
      case '^':
        return [this.#repeated({ type: 'assertion', of: flags.multiline ? 'lineStart' : 'textStart' })];
      case '$':
        return [this.#repeated({ type: 'assertion', of: flags.multiline ? 'lineEnd' : 'textEnd' })];
      case '\\':
        return this.#escape(flags);
      case '*':
      case '+':
      case '?':
        throw new PatternError(`nothing before '${letter}' to repeat`);
      case '{':
        this.#at -= 1;
        if (this.#count() !== undefined) throw new PatternError("nothing before '{' to repeat");
        this.#at += 1;
        break;
      default:
    }
    return [this.#repeated(character(same(letter), flags))];
  }

  #escape(flags: Flags): Node[] {
    const letter = this.#next('a single backslash at the end');
    if (letter === 'Q') return this.#quoted(flags);
    const assertion = ({ A: 'textStart', z: 'textEnd', b: 'wordBoundary', B: 'noWordBoundary' } as const)[letter];
    if (assertion !== undefined) return [this.#repeated({ type: 'assertion', of: assertion })];
    return [this.#repeated(character(this.#escaped(letter), flags))];
  }

  #quoted(flags: Flags): Node[] {
    const items: Node[] = [];
    while (!this.isAtEnd) {
      if (this.#peek() === '\\' && this.#text[this.#at + 1] === 'E') {
        this.#at += 2;
        break;
      }
      items.push(character(same(this.#next()), flags));
    }
    const last = items.pop();
    return last === undefined ? [] : [...items, this.#repeated(last)];
  }

  /** What an escape stands for, inside a set and outside. */
  #escaped(letter: string): CharacterTest {
    if (letter === 'p' || letter === 'P') return this.#unicode(letter === 'P');
    return namedClass(letter) ?? is(this.#codePoint(letter));
  }

  #codePoint(letter: string): number {
    if (letter === 'x') return this.#hex();
    if (/[1-9k]/.test(letter)) throw new PatternError('back-references are not supported');
    const known = escapedCharacter(letter);
    if (known === undefined) throw new PatternError(`unknown escape '\\${letter}'`);
    return known;
  }

  #hex(): number {
    const rest = this.#text.slice(this.#at, this.#at + 10).join('');
    const found = /^(?:\{([0-9A-Fa-f]{1,8})\}|([0-9A-Fa-f]{2}))/.exec(rest);
    const code = Number.parseInt(found?.[1] ?? found?.[2] ?? '', 16);
    if (found === null || code > 0x10ffff) throw new PatternError("'\\x' needs two hex digits, or '{...}'");
    this.#at += found[0].length;
    return code;
  }

  #unicode(negated: boolean): CharacterTest {
    let name = this.#next("'\\p' needs a class, such as '\\p{Greek}'");
    if (name === '{') {
      const end = this.#text.indexOf('}', this.#at);
      if (end < 0) throw new PatternError("'\\p{' without '}'");
      name = this.#text.slice(this.#at, end).join('');
      this.#at = end + 1;
    }
    const isInverse = name.startsWith('^');
    const test = unicodeClass(isInverse ? name.slice(1) : name);
    if (test === undefined) throw new PatternError(`unknown Unicode class '${name}'`);
    return negated === isInverse ? test : not(test);
  }

  /** After `[`. */
  #set(): CharacterTest {
    const negated = this.#take('^');
    const tests: CharacterTest[] = [];
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) {
      if (this.isAtEnd) throw new PatternError("'[' without ']'");
      tests.push(this.#member());
    }
    this.#at += 1;
    const any: CharacterTest = (c) => tests.some((test) => test(c));
    return negated ? not(any) : any;
  }

  #member(): CharacterTest {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.#text.slice(this.#at, this.#at + 14).join(''));
    if (posix !== null) {
      const test = posixClass(posix[2] ?? '');
      if (test === undefined) throw new PatternError(`unknown class '${posix[0]}'`);
      this.#at += posix[0].length;
      return posix[1] === '^' ? not(test) : test;
    }
    const first = this.#setCharacter();
    if (typeof first === 'function') return first;
    if (this.#peek() !== '-' || this.#text[this.#at + 1] === ']' || this.#at + 1 >= this.#text.length) return is(first);
    this.#at += 1;
    const last = this.#setCharacter();
    if (typeof last === 'function' || last < first) throw new PatternError("a range in '[...]' is the wrong way round");
    return (c) => c >= first && c <= last;
  }

  #setCharacter(): CharacterTest | number {
    const letter = this.#next("'[' without ']'");
    if (letter !== '\\') return letter.codePointAt(0) ?? 0;
    const escaped = this.#next('a single backslash at the end');
    if (escaped === 'p' || escaped === 'P') return this.#unicode(escaped === 'P');
    return namedClass(escaped) ?? this.#codePoint(escaped);
  }

  /** `item` with the repetition that follows it. */
  #repeated(item: Node): Node {
    const count = this.#count();
    if (count === undefined) return item;
    this.#take('?'); // lazy or not matters for what is captured only
    if (this.#count() !== undefined) throw new PatternError('a repetition of a repetition. Put it into a group');
    return { type: 'repetition', item, ...count };
  }

  /** `*`, `+`, `?`, `{2}`, `{2,}`, `{2,5}`; undefined where none stands. */
  #count(): { readonly min: number; readonly max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { min: 0, max: 1 };
    if (this.#peek() !== '{') return undefined;
    const found = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#text.slice(this.#at, this.#at + 24).join(''));
    if (found === null) return undefined; // then it stands for itself
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (min > MAX_COUNT || (Number.isFinite(max) && max > MAX_COUNT) || max < min) {
      throw new PatternError(`a repetition '${found[0]}' must count upwards, to ${MAX_COUNT} at most`);
    }
    this.#at += found[0].length;
    return { min, max };
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }
  #next(orElse = 'it ends too early'): string {
    if (this.isAtEnd) throw new PatternError(orElse);
    this.#at += 1;
    return this.#text[this.#at - 1] ?? '';
  }
  #take(letter: string): boolean {
    if (this.#peek() !== letter) return false;
    this.#at += 1;
    return true;
  }
}

const is =
  (code: number): CharacterTest =>
  (c) =>
    c === code;
const same = (letter: string): CharacterTest => is(letter.codePointAt(0) ?? 0);
const not =
  (test: CharacterTest): CharacterTest =>
  (c) =>
    !test(c);

const character = (test: CharacterTest, { ignoresCase }: Flags): Node => ({
  type: 'character',
  test: ignoresCase ? (c) => test(c) || test(otherCase(c, false)) || test(otherCase(c, true)) : test,
});
const otherCase = (c: number, toUpper: boolean): number => {
  const letter = String.fromCodePoint(c);
  return (toUpper ? letter.toUpperCase() : letter.toLowerCase()).codePointAt(0) ?? c;
};

export const isWord = (c: number | undefined): boolean => c !== undefined && WORD(c);
