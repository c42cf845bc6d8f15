import {
  accept,
  endOfPrevious,
  eraseFrom,
  expect,
  expectMatch,
  failNear,
  isLiteral,
  isName,
  kind,
  nested,
  type Parsing,
  splitToken,
  startOf,
  startsLine,
} from './parsing.ts';
import { END, NAME, NUMBER, STRING } from './tokens.ts';

/** Type syntax is read to find its end, and erased (lua/conventions.md, section 3). Nothing here changes the source. */

/** `: T` where it stands, erased. */
export const annotation = (p: Parsing): void => {
  if (kind(p) !== ':') return;
  const start = startOf(p);
  p.at += 1;
  parseType(p);
  eraseFrom(p, start);
};

/** `<T, U...>` after a function's or an alias's name, erased. */
export const genericParameters = (p: Parsing): void => {
  if (kind(p) !== '<') return;
  const start = startOf(p);
  typeArguments(p);
  eraseFrom(p, start);
};

/** The results of a function: `: T`, `: (A, B)`, erased. */
export const resultAnnotation = (p: Parsing): void => {
  if (kind(p) !== ':') return;
  const start = startOf(p);
  p.at += 1;
  do variadicOrType(p);
  while (accept(p, ','));
  eraseFrom(p, start);
};

/**
 * `:: T` and `as T` after an operand, erased; any number of them. A label after the operand (`x = y ::again::`) is
 * left alone.
 */
export const casts = (p: Parsing): void => {
  for (;;) {
    const start = startOf(p);
    if (kind(p) === '::' ? atLabel(p) : !atAs(p)) return;
    p.at += 1;
    parseType(p, true);
    eraseFrom(p, start);
  }
};

// What can follow a label, and cannot begin a type.
const AFTER_LABEL = new Set([
  END,
  'end',
  'until',
  'else',
  'elseif',
  'local',
  'for',
  'while',
  'if',
  'return',
  'goto',
  'break',
  'do',
  'repeat',
  ';',
  '::',
]);

/** `::name::` is a label where its line begins with it, where a `goto` names it, or where no type can follow. */
const atLabel = (p: Parsing): boolean => {
  if (kind(p, 1) !== NAME || kind(p, 2) !== '::') return false;
  if (startsLine(p) && !startsLine(p, 1) && !startsLine(p, 2)) return true;
  if (p.gotoTargets.has(p.tokens.source.slice(startOf(p, 1), p.tokens.ends[p.at + 1]))) return true;
  return AFTER_LABEL.has(kind(p, 3)) || (kind(p, 3) === 'function' && kind(p, 4) === NAME);
};

/** `as` is a cast where a type follows and a statement that begins with a variable of this name cannot. */
const atAs = (p: Parsing): boolean => {
  if (!isName(p, 'as')) return false;
  const next = kind(p, 1);
  if (startsLine(p)) return next === NAME || next === 'nil' || next === 'true' || next === 'false';
  return next === NAME || next === '{' || next === '(' || next === 'function' || next === '<' || isLiteral(next);
};

/**
 * One type, with unions and intersections. In a cast (`inCast`) a `<` that opens no list of types is left to the
 * expression: `n :: number < 5`.
 */
export const parseType = (p: Parsing, inCast = false): void =>
  nested(p, () => {
    if (kind(p) === '|' || kind(p) === '&') p.at += 1; // A leading bar, as multi-line unions have.
    do postfixType(p, inCast);
    while (accept(p, '|') || accept(p, '&'));
  });

const postfixType = (p: Parsing, inCast: boolean): void => {
  primaryType(p, inCast);
  for (;;) {
    if (kind(p) === '?' || kind(p) === '!') p.at += 1;
    else if (kind(p) === '[' && kind(p, 1) === ']') p.at += 2;
    else if (kind(p) === '@') typeNote(p);
    else return;
  }
};

/** `@min(0)`, `@optional`: the arguments follow the name without a blank. */
const typeNote = (p: Parsing): void => {
  p.at += 1;
  expect(p, NAME);
  while (accept(p, '.')) expect(p, NAME);
  if (kind(p) === '(' && startOf(p) === endOfPrevious(p)) balanced(p);
};

/** Everything up to the parenthesis that closes the one at the cursor. */
const balanced = (p: Parsing): void => {
  const opener = p.at;
  let depth = 0;
  do {
    if (kind(p) === '(') depth += 1;
    else if (kind(p) === ')') depth -= 1;
    else if (kind(p) === END) expectMatch(p, ')', opener);
    p.at += 1;
  } while (depth > 0);
};

const primaryType = (p: Parsing, inCast: boolean): void => {
  const first = kind(p);
  if (first === NAME) return namedType(p, inCast);
  if (isLiteral(first)) p.at += 1;
  else if (first === '-' && kind(p, 1) === NUMBER) p.at += 2;
  else if (first === '{') tableType(p);
  else if (first === '(') parenthesised(p);
  else if (first === '<') {
    typeArguments(p);
    parenthesised(p);
  } else if (first === 'function') {
    p.at += 1;
    if (kind(p) === '(' && !startsLine(p)) functionShape(p);
  } else throw failNear(p, 'type expected');
};

const namedType = (p: Parsing, inCast: boolean): void => {
  const isFunction = isName(p, 'fun') && kind(p, 1) === '(';
  const isTypeof = isName(p, 'typeof') && kind(p, 1) === '(';
  p.at += 1;
  if (isFunction) return functionShape(p);
  if (isTypeof) return balanced(p);
  while (kind(p) === '.' && kind(p, 1) === NAME) p.at += 2;
  if (kind(p) === '...')
    p.at += 1; // A generic pack: `T...`.
  else if (kind(p) === '<' && (!inCast || closesTypeList(p))) typeArguments(p);
};

/** Whether the `<` at the cursor opens a list of types: only names, punctuation of types and literals up to its `>`. */
const closesTypeList = (p: Parsing): boolean => {
  let depth = 0;
  for (let ahead = 0; ; ahead += 1) {
    const k = kind(p, ahead);
    if (k === '<') depth += 1;
    else if (k === '>' || k === '>=') depth -= 1;
    else if (k === '>>') depth -= 2;
    else if (!TYPE_TOKENS.has(k)) return false;
    else if (k === NAME && ahead > 0 && kind(p, ahead - 1) === NAME) return false; // Two names: another statement.
    if (depth <= 0) return true;
  }
};
const TYPE_TOKENS = new Set([
  NAME,
  STRING,
  NUMBER,
  'nil',
  'true',
  'false',
  'function',
  ',',
  ':',
  '.',
  '...',
  '|',
  '&',
  '?',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '->',
  ';',
]);

const typeArguments = (p: Parsing): void =>
  nested(p, () => {
    const opener = p.at;
    expect(p, '<');
    if (kind(p) !== '>') {
      do {
        variadicOrType(p);
        if (accept(p, '='))
          variadicOrType(p); // A default: `type Box<T = string>`.
        else if (accept(p, ':')) parseType(p); // A bound: `<T: Shape>`.
      } while (accept(p, ','));
    }
    if (kind(p) === '>>' || kind(p) === '>=') splitToken(p);
    else expectMatch(p, '>', opener);
  });

const variadicOrType = (p: Parsing): void => {
  if (accept(p, '...') && (kind(p) === ',' || kind(p) === ')' || kind(p) === '>')) return;
  parseType(p);
};

/** `(T)`, `(A, b: B)`, each perhaps with `-> R` behind it. */
const parenthesised = (p: Parsing): void => {
  parameterTypes(p);
  if (accept(p, '->')) variadicOrType(p);
};

/** `(a: A): R` after `fun`. */
const functionShape = (p: Parsing): void => {
  parameterTypes(p);
  if (accept(p, ':') || accept(p, '->')) variadicOrType(p);
};

const parameterTypes = (p: Parsing): void =>
  nested(p, () => {
    const opener = p.at;
    expect(p, '(');
    if (kind(p) !== ')') {
      do parameterType(p);
      while (accept(p, ','));
    }
    expectMatch(p, ')', opener);
  });

const parameterType = (p: Parsing): void => {
  if (kind(p) === '...') {
    p.at += 1;
    if (kind(p) === ',' || kind(p) === ')') return;
    accept(p, ':');
  } else skipLabel(p);
  parseType(p);
};

/** `name:` and `name?:` before a type. Any word names a field, keywords too. */
const skipLabel = (p: Parsing): boolean => {
  if (!/^\w/.test(p.tokens.source[startOf(p)] ?? '') || kind(p) === NUMBER) return false;
  const length = kind(p, 1) === ':' ? 2 : kind(p, 1) === '?' && kind(p, 2) === ':' ? 3 : 0;
  p.at += length;
  return length > 0;
};

/** `{T}`, `{[K]: V}`, `{field: T, opt?: T}`. */
const tableType = (p: Parsing): void =>
  nested(p, () => {
    const opener = p.at;
    expect(p, '{');
    while (kind(p) !== '}') {
      if (accept(p, '[')) {
        parseType(p);
        expect(p, ']');
        accept(p, '?');
        expect(p, ':');
        parseType(p);
      } else if (accept(p, '...')) {
        if (kind(p) !== '}') parseType(p);
      } else {
        skipLabel(p);
        parseType(p);
      }
      if (!accept(p, ',') && !accept(p, ';')) break;
    }
    expectMatch(p, '}', opener);
  });
