import { LuaSyntaxError } from '../engine.ts';

/** Kinds are the text itself for keywords and symbols, and one of these for the rest. */
export const NAME = '<name>';
export const NUMBER = '<number>';
export const STRING = '<string>';
export const END = '<eof>';

/** All tokens of a chunk as parallel arrays; the last one is END. Offsets are UTF-16 units of the source. */
export interface Tokens {
  readonly source: string;
  readonly path: string;
  readonly kinds: string[];
  readonly starts: number[];
  readonly ends: number[];
}

// `goto` is a keyword as in Lua 5.3; `type`, `as`, `export` and `fun` are names that the parser reads by their place.
const KEYWORDS = new Set(
  'and break do else elseif end false for function goto if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);
// Longest first. `->`, `?`, `!` and `@` belong to types.
const SYMBOLS = ['...', '..', '==', '~=', '<=', '>=', '<<', '>>', '//', '::', '->'];
const SINGLE = new Set('+-*/%^#&~|<>=(){}[];:,.?!@');
const LEADS = new Set(SYMBOLS.map((symbol) => symbol[0]));

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isHexDigit = (c: number): boolean => isDigit(c) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70);
const isNameStart = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95;
const isNewline = (c: number): boolean => c === 10 || c === 13;

/** Line and column, both from 1, of an offset. Counts from the start: for messages only. */
export const positionOf = (source: string, offset: number): { line: number; column: number } => {
  const newline = /\r\n|\n\r|\n|\r/g;
  let line = 1;
  let begin = 0;
  for (let hit = newline.exec(source); hit !== null && hit.index < offset; hit = newline.exec(source)) {
    line += 1;
    begin = newline.lastIndex;
  }
  return { line, column: offset - begin + 1 };
};

export const syntaxError = (tokens: Pick<Tokens, 'source' | 'path'>, offset: number, message: string): LuaSyntaxError =>
  new LuaSyntaxError(message, { path: tokens.path, ...positionOf(tokens.source, offset) });

/** Splits a chunk into tokens. @throws LuaSyntaxError in Lua's words (llex.c). */
export const tokenize = (source: string, path: string): Tokens => {
  const tokens: Tokens = { source, path, kinds: [], starts: [], ends: [] };
  const { kinds, starts, ends } = tokens;
  let at = skipHeader(source);
  for (;;) {
    at = skipBlank(tokens, at);
    const start = at;
    if (at >= source.length) {
      kinds.push(END);
      starts.push(at);
      ends.push(at);
      return tokens;
    }
    const c = source.charCodeAt(at);
    let kind: string;
    if (isNameStart(c)) {
      at += 1;
      while (isNameStart(source.charCodeAt(at)) || isDigit(source.charCodeAt(at))) at += 1;
      const word = source.slice(start, at);
      kind = KEYWORDS.has(word) ? word : NAME;
    } else if (isDigit(c) || (c === 46 && isDigit(source.charCodeAt(at + 1)))) {
      at = endOfNumber(tokens, at);
      kind = NUMBER;
    } else if (c === 34 || c === 39) {
      at = endOfString(tokens, at, c);
      kind = STRING;
    } else if (c === 91 && longBracketLevel(source, at) >= 0) {
      at = endOfLongBracket(tokens, at, longBracketLevel(source, at), 'string');
      kind = STRING;
    } else {
      kind = symbolAt(tokens, at);
      at += kind.length;
    }
    kinds.push(kind);
    starts.push(start);
    ends.push(at);
  }
};

/** A byte order mark and a first line that begins with `#` (lauxlib.c, skipcomment). */
export const skipHeader = (source: string): number => {
  let at = source.charCodeAt(0) === 0xfeff ? 1 : 0;
  if (source[at] === '#') while (at < source.length && !isNewline(source.charCodeAt(at))) at += 1;
  return at;
};

const skipBlank = (tokens: Tokens, from: number): number => {
  const { source } = tokens;
  let at = from;
  for (;;) {
    const c = source.charCodeAt(at);
    if (c === 32 || (c >= 9 && c <= 13)) at += 1;
    else if (c === 45 && source.charCodeAt(at + 1) === 45) {
      const level = longBracketLevel(source, at + 2);
      if (level >= 0) at = endOfLongBracket(tokens, at + 2, level, 'comment');
      else while (at < source.length && !isNewline(source.charCodeAt(at))) at += 1;
    } else return at;
  }
};

/** How many `=` stand between the brackets of `[==[`, or -1 where no long bracket opens. */
const longBracketLevel = (source: string, at: number): number => {
  if (source[at] !== '[') return -1;
  let end = at + 1;
  while (source[end] === '=') end += 1;
  return source[end] === '[' ? end - at - 1 : -1;
};

const endOfLongBracket = (tokens: Tokens, at: number, level: number, what: 'string' | 'comment'): number => {
  const close = `]${'='.repeat(level)}]`;
  const end = tokens.source.indexOf(close, at + level + 2);
  if (end < 0) {
    const { line } = positionOf(tokens.source, at);
    throw syntaxError(tokens, tokens.source.length, `unfinished long ${what} (starting at line ${line}) near <eof>`);
  }
  return end + close.length;
};

/** As llex.c reads it: everything that could belong to a numeral first, then it must be one. */
const endOfNumber = (tokens: Tokens, start: number): number => {
  const { source } = tokens;
  const isHex = source[start] === '0' && (source[start + 1] === 'x' || source[start + 1] === 'X');
  const exponent = isHex ? 'pP' : 'eE';
  let at = start + (isHex ? 2 : 0);
  for (;;) {
    const char = source[at] ?? '';
    if (char !== '' && exponent.includes(char)) at += source[at + 1] === '+' || source[at + 1] === '-' ? 2 : 1;
    else if (char === '.' || isHexDigit(source.charCodeAt(at))) at += 1;
    else break;
  }
  const text = source.slice(start, at);
  const valid = isHex
    ? /^0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?$/
    : /^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
  if (!valid.test(text)) throw syntaxError(tokens, start, `malformed number near '${text}'`);
  return at;
};

const SIMPLE_ESCAPES = 'abfnrtv\\"\'\n\r';

const endOfString = (tokens: Tokens, start: number, quote: number): number => {
  const { source } = tokens;
  let at = start + 1;
  for (;;) {
    const c = source.charCodeAt(at);
    if (c === quote) return at + 1;
    if (Number.isNaN(c)) throw syntaxError(tokens, at, 'unfinished string near <eof>');
    if (isNewline(c)) throw syntaxError(tokens, start, `unfinished string near '${source.slice(start, at)}'`);
    at = c === 92 ? endOfEscape(tokens, start, at) : at + 1;
  }
};

const endOfEscape = (tokens: Tokens, start: number, at: number): number => {
  const { source } = tokens;
  const fail = (message: string, end: number): never => {
    throw syntaxError(tokens, at, `${message} near '${source.slice(start, end)}'`);
  };
  const char = source[at + 1] ?? '';
  if (char === '') return at + 1; // The caller reports the unfinished string.
  if (char === '\r' && source[at + 2] === '\n') return at + 3;
  if (SIMPLE_ESCAPES.includes(char)) return at + 2;
  if (char === 'z') {
    let end = at + 2;
    while (/\s/.test(source[end] ?? '')) end += 1;
    return end;
  }
  if (char === 'x') {
    for (let digit = 2; digit < 4; digit += 1) {
      if (!isHexDigit(source.charCodeAt(at + digit))) fail('hexadecimal digit expected', at + digit + 1);
    }
    return at + 4;
  }
  if (char === 'u') return endOfUnicodeEscape(source, at, fail);
  if (!isDigit(char.charCodeAt(0))) fail('invalid escape sequence', at + 2);
  let end = at + 2;
  while (end < at + 4 && isDigit(source.charCodeAt(end))) end += 1;
  if (Number(source.slice(at + 1, end)) > 255) fail('decimal escape too large', end + 1);
  return end;
};

const endOfUnicodeEscape = (source: string, at: number, fail: (message: string, end: number) => never): number => {
  if (source[at + 2] !== '{') fail("missing '{' in \\u{xxxx}", at + 3);
  let end = at + 3;
  while (isHexDigit(source.charCodeAt(end))) end += 1;
  if (end === at + 3) fail('hexadecimal digit expected', end + 1);
  if (Number.parseInt(source.slice(at + 3, end), 16) > 0x10ffff) fail('UTF-8 value too large', end);
  if (source[end] !== '}') fail("missing '}' in \\u{xxxx}", end + 1);
  return end + 1;
};

const symbolAt = (tokens: Tokens, at: number): string => {
  const { source } = tokens;
  const char = source[at] as string;
  if (LEADS.has(char)) {
    for (const symbol of SYMBOLS) if (source.startsWith(symbol, at)) return symbol;
  }
  if (SINGLE.has(char)) return char;
  const shown = String.fromCodePoint(source.codePointAt(at) as number);
  throw syntaxError(tokens, at, `unexpected symbol near '${shown}'`);
};
