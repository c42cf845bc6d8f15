import { expression, expressionList, functionBody, suffixed } from './expressions.ts';
import {
  accept,
  endOfPrevious,
  eraseFrom,
  expect,
  expectMatch,
  failNear,
  isName,
  kind,
  nested,
  type Parsing,
  startOf,
} from './parsing.ts';
import { END, NAME } from './tokens.ts';
import { annotation, genericParameters, parseType } from './type-grammar.ts';

const BLOCK_ENDS = new Set([END, 'end', 'else', 'elseif', 'until']);

export const block = (p: Parsing): void => {
  while (!BLOCK_ENDS.has(kind(p))) {
    if (kind(p) === 'return') {
      p.at += 1;
      if (!BLOCK_ENDS.has(kind(p)) && kind(p) !== ';') expressionList(p);
      accept(p, ';');
      return;
    }
    statement(p);
    separate(p);
  }
};

/**
 * Types end statements that Lua would otherwise read on: in `a = b :: T` before a line `(f or g)()` the erased text
 * would call `b`. A semicolon takes the place of the type's first character.
 */
const separate = (p: Parsing): void => {
  if (kind(p) !== '(') return;
  const last = p.edits.at(-1);
  if (last !== undefined && last.text === undefined && last.end === endOfPrevious(p)) {
    last.text = `;${blank(p.tokens.source.slice(last.start + 1, last.end))}`;
  }
};
export const blank = (source: string): string => source.replace(/[^\r\n]/g, ' ');

const statement = (p: Parsing): void => {
  const opener = p.at;
  switch (kind(p)) {
    case ';':
      p.at += 1;
      return;
    case 'if':
      return ifStatement(p, opener);
    case 'while':
      p.at += 1;
      expression(p);
      expect(p, 'do');
      return closedBlock(p, 'end', opener);
    case 'do':
      p.at += 1;
      return closedBlock(p, 'end', opener);
    case 'for':
      return forStatement(p, opener);
    case 'repeat':
      p.at += 1;
      closedBlock(p, 'until', opener);
      return expression(p);
    case 'function':
      return functionStatement(p, opener);
    case 'local':
      return localStatement(p);
    case '::':
      p.at += 1;
      expect(p, NAME);
      return expect(p, '::');
    case 'break':
      p.at += 1;
      return;
    case 'goto':
      p.at += 1;
      return expect(p, NAME);
    default:
      if (!typeAlias(p)) expressionStatement(p);
  }
};

const closedBlock = (p: Parsing, closer: string, opener: number): void => {
  nested(p, () => block(p));
  expectMatch(p, closer, opener);
};

const ifStatement = (p: Parsing, opener: number): void => {
  do {
    p.at += 1;
    expression(p);
    expect(p, 'then');
    nested(p, () => block(p));
  } while (kind(p) === 'elseif');
  if (accept(p, 'else')) nested(p, () => block(p));
  expectMatch(p, 'end', opener);
};

const forStatement = (p: Parsing, opener: number): void => {
  p.at += 1;
  expect(p, NAME);
  annotation(p);
  if (accept(p, '=')) {
    expression(p);
    expect(p, ',');
    expression(p);
    if (accept(p, ',')) expression(p);
  } else if (kind(p) === ',' || kind(p) === 'in') {
    while (accept(p, ',')) {
      expect(p, NAME);
      annotation(p);
    }
    expect(p, 'in');
    expressionList(p);
  } else throw failNear(p, "'=' or 'in' expected");
  expect(p, 'do');
  closedBlock(p, 'end', opener);
};

const functionStatement = (p: Parsing, opener: number): void => {
  p.at += 1;
  expect(p, NAME);
  while (accept(p, '.')) expect(p, NAME);
  if (accept(p, ':')) expect(p, NAME);
  functionBody(p, opener);
};

const localStatement = (p: Parsing): void => {
  p.at += 1;
  const opener = p.at;
  if (accept(p, 'function')) {
    expect(p, NAME);
    return functionBody(p, opener);
  }
  do {
    expect(p, NAME);
    annotation(p);
  } while (accept(p, ','));
  if (accept(p, '=')) expressionList(p);
};

/** `type Name = T`, `export type Name<A> = T`, erased. No Lua statement begins with two names. */
const typeAlias = (p: Parsing): boolean => {
  const word = isName(p, 'export') && isName(p, 'type', 1) ? 1 : 0;
  if (!isName(p, 'type', word) || kind(p, word + 1) !== NAME) return false;
  const start = startOf(p);
  const before = p.edits.length;
  p.at += word + 2;
  genericParameters(p);
  expect(p, '=');
  parseType(p);
  p.edits.length = before; // One edit covers the whole statement.
  eraseFrom(p, start);
  return true;
};

const expressionStatement = (p: Parsing): void => {
  let made = suffixed(p);
  if (kind(p) !== '=' && kind(p) !== ',') {
    if (made !== 'call') throw failNear(p, 'syntax error');
    return;
  }
  for (;;) {
    if (made !== 'name' && made !== 'index') throw failNear(p, 'syntax error');
    if (!accept(p, ',')) break;
    made = suffixed(p);
  }
  expect(p, '=');
  expressionList(p);
};
