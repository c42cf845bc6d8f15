import type { LuaSyntaxError } from '../engine.ts';
import { END, NAME, NUMBER, positionOf, STRING, syntaxError, type Tokens } from './tokens.ts';

/** A piece of source to replace: with `text`, or with blanks where `text` is absent. In source order. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  text?: string;
}

/** How deep blocks, parentheses, tables and types may nest; fengari's own parser ends at 200. */
const MAX_LEVELS = 250;

/** The state of one parse: where it is in the tokens, and what it changes. */
export interface Parsing {
  readonly tokens: Tokens;
  readonly edits: Edit[];
  /** Names of all labels that some `goto` names: tells a label from a cast. */
  readonly gotoTargets: ReadonlySet<string>;
  at: number;
  levels: number;
  /** A block, up to a token that ends it. Set once: expressions contain function bodies, which contain blocks. */
  readonly block: (parsing: Parsing) => void;
}

export const startParsing = (tokens: Tokens, block: Parsing['block']): Parsing => {
  const gotoTargets = new Set<string>();
  for (let i = 0; i < tokens.kinds.length - 1; i += 1) {
    if (tokens.kinds[i] === 'goto') gotoTargets.add(tokens.source.slice(tokens.starts[i + 1], tokens.ends[i + 1]));
  }
  return { tokens, edits: [], gotoTargets, at: 0, levels: 0, block };
};

/** Kind of the token at the cursor, or of one `ahead` of it. */
export const kind = (p: Parsing, ahead = 0): string => p.tokens.kinds[p.at + ahead] ?? END;
export const text = (p: Parsing, ahead = 0): string =>
  p.tokens.source.slice(p.tokens.starts[p.at + ahead], p.tokens.ends[p.at + ahead]);
export const startOf = (p: Parsing, ahead = 0): number => p.tokens.starts[p.at + ahead] ?? p.tokens.source.length;
/** Where the token before the cursor ends. */
export const endOfPrevious = (p: Parsing): number => p.tokens.ends[p.at - 1] ?? 0;
export const isName = (p: Parsing, word: string, ahead = 0): boolean =>
  kind(p, ahead) === NAME && text(p, ahead) === word;
/** The token `ahead` is the first of its line. */
export const startsLine = (p: Parsing, ahead = 0): boolean => {
  const before = p.tokens.ends[p.at + ahead - 1] ?? 0;
  return /[\r\n]/.test(p.tokens.source.slice(before, startOf(p, ahead)));
};

export const accept = (p: Parsing, wanted: string): boolean => {
  if (kind(p) !== wanted) return false;
  p.at += 1;
  return true;
};

/** The token as Lua's messages show it: `near 'x'`, `near <eof>`. */
const shown = (p: Parsing): string => (kind(p) === END ? END : `'${text(p)}'`);
export const failNear = (p: Parsing, message: string): LuaSyntaxError =>
  syntaxError(p.tokens, startOf(p), `${message} near ${shown(p)}`);

const quoted = (wanted: string): string => (wanted === NAME || wanted === END ? wanted : `'${wanted}'`);
export const expect = (p: Parsing, wanted: string): void => {
  if (!accept(p, wanted)) throw failNear(p, `${quoted(wanted)} expected`);
};

/** Expects what closes the token `opener` (an index), and says where that one stands when it is on another line. */
export const expectMatch = (p: Parsing, wanted: string, opener: number): void => {
  if (accept(p, wanted)) return;
  const { source, starts, ends } = p.tokens;
  const line = positionOf(source, starts[opener] ?? 0).line;
  if (line === positionOf(source, startOf(p)).line) throw failNear(p, `${quoted(wanted)} expected`);
  const what = source.slice(starts[opener], ends[opener]);
  throw failNear(p, `${quoted(wanted)} expected (to close '${what}' at line ${line})`);
};

/** Runs `parse` one level deeper. @throws LuaSyntaxError beyond MAX_LEVELS. */
export const nested = (p: Parsing, parse: () => void): void => {
  p.levels += 1;
  if (p.levels > MAX_LEVELS) throw failNear(p, 'chunk has too many syntax levels');
  parse();
  p.levels -= 1;
};

/** Blanks from `start` to the token before the cursor. */
export const eraseFrom = (p: Parsing, start: number): void => {
  p.edits.push({ start, end: endOfPrevious(p) });
};

/**
 * Takes the first character off a token, as `>` off `>=`: generic types end where operators would begin. The token
 * before it takes the character over, so that erasing reaches it.
 */
export const splitToken = (p: Parsing): void => {
  p.tokens.kinds[p.at] = (p.tokens.kinds[p.at] as string).slice(1);
  const start = startOf(p) + 1;
  p.tokens.starts[p.at] = start;
  p.tokens.ends[p.at - 1] = start;
};

export const isLiteral = (k: string): boolean =>
  k === STRING || k === NUMBER || k === 'nil' || k === 'true' || k === 'false';
