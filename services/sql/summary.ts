/** Of a text, in this order: what is skipped (quoted text and names, comments, dollar quotes), then words. */
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\/|(\$[A-Za-z_]*\$)[\s\S]*?\1|([A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)*)/g;

/** First words of statements; anything else has no summary, so that no other text gets into a span. */
const VERBS = new Set(
  'SELECT INSERT UPDATE DELETE MERGE REPLACE WITH VALUES CREATE ALTER DROP TRUNCATE PRAGMA EXPLAIN ANALYZE VACUUM SET SHOW CALL LOCK COPY'.split(
    ' ',
  ),
);
/** A table's name follows. */
const BEFORE_NAMES = new Set(['FROM', 'JOIN', 'INTO', 'UPDATE', 'TABLE']);
const NOT_NAMES = new Set(['SELECT', 'ONLY', 'IF', 'NOT', 'EXISTS', 'LATERAL', 'SET', 'WHERE', 'VALUES', 'OR']);
const MAX_LENGTH = 255;
const MAX_TEXT = 10_000;

/**
 * `db.query.summary`: the verb and the tables of a statement, `SELECT orders customers`. Never a value: only unquoted names
 * that follow FROM, JOIN, INTO, UPDATE or TABLE are looked at. Undefined for a text without a known verb.
 */
export const querySummary = (text: string): string | undefined => {
  let verb: string | undefined;
  const names: string[] = [];
  let takesName = false;
  for (const [, , word] of text.slice(0, MAX_TEXT).matchAll(TOKENS)) {
    if (word === undefined) {
      takesName = false;
      continue;
    }
    const upper = word.toUpperCase();
    if (verb === undefined) {
      if (!VERBS.has(upper)) return undefined;
      verb = upper;
    }
    if (BEFORE_NAMES.has(upper)) {
      takesName = true;
      continue;
    }
    if (!takesName || NOT_NAMES.has(upper)) continue;
    takesName = false;
    if (!names.includes(word)) names.push(word);
  }
  return verb === undefined ? undefined : [verb, ...names].join(' ').slice(0, MAX_LENGTH);
};
