import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { Path } from '../runtime/dotted-path.ts';
import { messageOf, type Problem } from '../runtime/errors.ts';

/** 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A parsed YAML (or JSON) text that remembers where everything stands. */
export interface YamlSource {
  readonly value: unknown;
  /** Where a value stands; where a path does not exist, its nearest ancestor that does. */
  valueAt(path: Path): Position;
  /** Where the key of a path stands. */
  keyAt(path: Path): Position;
}

/**
 * Parses one document; `file` is for messages. Duplicate keys, several documents in one file and unknown aliases are
 * problems like every other syntax error. An empty text is null.
 */
export const parseYaml = (file: string, text: string): { source?: YamlSource; problems: readonly Problem[] } => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'silent' });
  const [first] = document.errors;
  if (first !== undefined) {
    // One mistake often makes several errors of the parser; only the first tells where to look.
    const { line, col } = lines.linePos(first.pos[0]);
    return { problems: [malformed(file, `${first.message}.`, { line, column: col })] };
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases are resolved here: an unknown one, or too many (a "billion laughs").
    return { problems: [malformed(file, `${messageOf(error)}.`, undefined)] };
  }
  return { source: sourceOf(document, value, lines), problems: [] };
};

const malformed = (file: string, message: string, at: Position | undefined): Problem => ({
  file,
  ...at,
  path: '',
  message: `not valid YAML: ${message}`,
  severity: 'error',
});

const sourceOf = (document: Document, value: unknown, lines: LineCounter): YamlSource => {
  const position = (node: Node | undefined): Position => {
    const { line, col } = lines.linePos(node?.range?.[0] ?? document.range?.[0] ?? 0);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const find = (path: Path): { key: Node | undefined; value: Node | undefined } => {
    let found: { key: Node | undefined; value: Node | undefined } = {
      key: undefined,
      value: asNode(document.contents),
    };
    for (const step of path) {
      const next = child(resolved(found.value, document), step);
      if (next === undefined) break;
      found = next;
    }
    return found;
  };
  return {
    value,
    valueAt(path) {
      const { key, value: node } = find(path);
      // `pool:` with nothing behind it has no place of its own.
      return position(node === undefined || isEmptyScalar(node) ? (key ?? node) : node);
    },
    keyAt(path) {
      const { key, value: node } = find(path);
      return position(key ?? node);
    },
  };
};

const isEmptyScalar = (node: Node): boolean =>
  isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1];
const asNode = (value: unknown): Node | undefined => (value === null ? undefined : (value as Node | undefined));
const resolved = (node: Node | undefined, document: Document): Node | undefined =>
  isAlias(node) ? node.resolve(document) : node;

const child = (node: Node | undefined, step: string | number) => {
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return item === undefined ? undefined : { key: undefined, value: item as Node };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find((one: Pair) => isScalar(one.key) && String(one.key.value) === String(step));
  return pair === undefined ? undefined : { key: pair.key as Node, value: asNode(pair.value) };
};
