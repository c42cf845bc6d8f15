/** Of a text, in this order: what is skipped (quoted text and names, comments, dollar quotes), then words and parentheses. */
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\/|(\$[A-Za-z_]*\$)[\s\S]*?\1|([A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)*)|([()])/g;

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

/** First words of statements; anything else has no summary, so that no other text gets into a span. */
const VERBS = words(
  'SELECT INSERT UPDATE DELETE MERGE REPLACE WITH VALUES CREATE ALTER DROP TRUNCATE PRAGMA EXPLAIN ANALYZE VACUUM SET SHOW CALL LOCK COPY',
);
/** A table's name follows, */
const BEFORE_NAMES = words('FROM JOIN INTO UPDATE TABLE TRUNCATE');
/** but not behind these: `FOR UPDATE`, `DO UPDATE SET`, `ON UPDATE CASCADE`, `FOR NO KEY UPDATE`, `IS DISTINCT FROM`; */
const NOT_BEFORE = words('FOR DO ON KEY DISTINCT');
/** nor within the parentheses of these: `EXTRACT(epoch FROM placed)`. */
const CALLS_WITH_FROM = words('EXTRACT SUBSTRING TRIM OVERLAY');
/** Words between them and the name. */
const MODIFIERS = words('ONLY IF NOT EXISTS LATERAL OR ROLLBACK ABORT FAIL IGNORE REPLACE');
/** No name comes after all. */
const NOT_NAMES = words('SELECT SET WHERE VALUES ON OF DELETE INSERT STDIN');
const MAX_LENGTH = 255;
const MAX_TEXT = 10_000;

/**
 * `db.query.summary`: the verb and the tables of a statement, `SELECT orders customers`. Never a value: only unquoted names
 * that follow FROM, JOIN, INTO, UPDATE, TABLE or TRUNCATE are looked at. Undefined for a text without a known verb.
 */
export const querySummary = (text: string): string | undefined => {
  let verb: string | undefined;
  let takesName = false;
  let previous = '';
  const names: string[] = [];
  const calls: boolean[] = [];
  for (const [, , word, parenthesis] of text.slice(0, MAX_TEXT).matchAll(TOKENS)) {
    if (word === undefined) {
      if (parenthesis === '(') calls.push(CALLS_WITH_FROM.has(previous));
      else if (parenthesis === ')') calls.pop();
      takesName = false;
      previous = '';
      continue;
    }
    const upper = word.toUpperCase();
    const before = previous;
    previous = upper;
    if (verb === undefined) {
      if (!VERBS.has(upper)) return undefined;
      verb = upper;
    }
    if (BEFORE_NAMES.has(upper)) {
      takesName = !NOT_BEFORE.has(before) && !(upper === 'FROM' && calls.at(-1) === true);
      continue;
    }
    if (!takesName || MODIFIERS.has(upper)) continue;
    takesName = false;
    if (!NOT_NAMES.has(upper) && !names.includes(word)) names.push(word);
  }
  return verb === undefined ? undefined : [verb, ...names].join(' ').slice(0, MAX_LENGTH);
};
