import {
  accept,
  eraseFrom,
  expect,
  expectMatch,
  failNear,
  kind,
  nested,
  type Parsing,
  startOf,
  text,
} from './parsing.ts';
import { NAME, NUMBER, STRING } from './tokens.ts';
import { annotation, casts, genericParameters, resultAnnotation } from './type-grammar.ts';

// Precedence does not matter to what only finds ends: an expression is operands with operators between them.
const BINARY = new Set([
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
  '//',
  '&',
  '|',
  '~',
  '<<',
  '>>',
  '..',
  '==',
  '~=',
  '<',
  '<=',
  '>',
  '>=',
  'and',
  'or',
]);
const UNARY = new Set(['not', '#', '-', '~']);

export const expression = (p: Parsing): void =>
  nested(p, () => {
    do {
      while (UNARY.has(kind(p))) p.at += 1;
      operand(p);
      casts(p);
    } while (BINARY.has(kind(p)) && ++p.at > 0);
  });

export const expressionList = (p: Parsing): void => {
  do expression(p);
  while (accept(p, ','));
};

const operand = (p: Parsing): void => {
  switch (kind(p)) {
    case NUMBER:
      floatLiteral(p);
      break;
    case STRING:
    case 'nil':
    case 'true':
    case 'false':
    case '...':
      p.at += 1;
      break;
    case '{':
      tableConstructor(p);
      break;
    case 'function':
      p.at += 1;
      functionBody(p, p.at - 1);
      break;
    default:
      suffixed(p);
      return;
  }
  nonNil(p);
};

/** `expr!`, erased. */
const nonNil = (p: Parsing): void => {
  while (kind(p) === '!') {
    const start = startOf(p);
    p.at += 1;
    eraseFrom(p, start);
  }
};

/** Integers become floats: fengari's integers have 32 bits (architecture.md, Numbers). */
const floatLiteral = (p: Parsing): void => {
  const literal = text(p);
  const start = startOf(p);
  p.at += 1;
  if (/^[0-9]+$/.test(literal)) p.edits.push({ start, end: start + literal.length, text: `${literal}.0` });
  else if (/^0[xX][0-9a-fA-F]+$/.test(literal)) {
    const value = String(Number(literal));
    p.edits.push({ start, end: start + literal.length, text: value.includes('e') ? value : `${value}.0` });
  }
};

/** What the last suffix made of the expression: only calls are statements, only the first two can be assigned to. */
export type SuffixedKind = 'name' | 'index' | 'call' | 'parenthesised';

export const suffixed = (p: Parsing): SuffixedKind => {
  let made: SuffixedKind;
  if (accept(p, NAME)) made = 'name';
  else if (kind(p) === '(') {
    const opener = p.at;
    p.at += 1;
    expression(p);
    expectMatch(p, ')', opener);
    made = 'parenthesised';
  } else throw failNear(p, 'unexpected symbol');
  for (;;) {
    switch (kind(p)) {
      case '.':
        p.at += 1;
        expect(p, NAME);
        made = 'index';
        break;
      case '[':
        p.at += 1;
        expression(p);
        expect(p, ']');
        made = 'index';
        break;
      case ':':
        p.at += 1;
        expect(p, NAME);
        callArguments(p);
        made = 'call';
        break;
      case '(':
      case '{':
      case STRING:
        callArguments(p);
        made = 'call';
        break;
      case '!':
        nonNil(p);
        break;
      default:
        return made;
    }
  }
};

const callArguments = (p: Parsing): void => {
  if (accept(p, STRING)) return;
  if (kind(p) === '{') return tableConstructor(p);
  const opener = p.at;
  if (!accept(p, '(')) throw failNear(p, 'function arguments expected');
  if (kind(p) !== ')') expressionList(p);
  expectMatch(p, ')', opener);
};

const tableConstructor = (p: Parsing): void =>
  nested(p, () => {
    const opener = p.at;
    p.at += 1;
    while (kind(p) !== '}') {
      if (accept(p, '[')) {
        expression(p);
        expect(p, ']');
        expect(p, '=');
      } else if (kind(p) === NAME && kind(p, 1) === '=') p.at += 2;
      expression(p);
      if (!accept(p, ',') && !accept(p, ';')) break;
    }
    expectMatch(p, '}', opener);
  });

/** Parameters, results and block of a function, up to its `end`. `opener` is the index of its `function`. */
export const functionBody = (p: Parsing, opener: number): void =>
  nested(p, () => {
    genericParameters(p);
    expect(p, '(');
    if (kind(p) !== ')') {
      do parameter(p);
      while (accept(p, ','));
    }
    expect(p, ')');
    resultAnnotation(p);
    p.block(p);
    expectMatch(p, 'end', opener);
  });

const parameter = (p: Parsing): void => {
  if (accept(p, '...')) {
    annotation(p);
    if (kind(p) === ',') throw failNear(p, "')' expected");
    return;
  }
  expect(p, NAME);
  optionalMark(p);
  annotation(p);
};

/** `name?: T`: the mark belongs to the type. */
const optionalMark = (p: Parsing): void => {
  if (kind(p) !== '?') return;
  const start = startOf(p);
  p.at += 1;
  eraseFrom(p, start);
};
