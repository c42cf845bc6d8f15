import { type Edit, expect, startParsing } from './parsing.ts';
import { blank, block } from './statements.ts';
import { END, skipHeader, tokenize } from './tokens.ts';

/**
 * Makes a chunk ready for fengari's compiler: type annotations are erased (lua/conventions.md, section 3), integer
 * literals become floats (architecture.md, Numbers), a byte order mark and a `#!` line go. Lines stay where they are;
 * columns behind a literal may move. What only the compiler knows (labels, `break` outside a loop, more than 200 locals)
 * is left to it.
 *
 * @throws LuaSyntaxError with path, line, column and Lua's words.
 */
export const prepareSource = (source: string, path: string): { readonly source: string } => {
  const parsing = startParsing(tokenize(source, path), block);
  block(parsing);
  expect(parsing, END);
  const header = skipHeader(source);
  return { source: blank(source.slice(0, header)) + applyEdits(source, header, parsing.edits) };
};

const applyEdits = (source: string, from: number, edits: readonly Edit[]): string => {
  let out = '';
  let at = from;
  for (const { start, end, text } of edits) {
    out += source.slice(at, start) + (text ?? blank(source.slice(start, end)));
    at = end;
  }
  return out + source.slice(at);
};
