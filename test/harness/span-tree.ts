import type { ReadSpan } from './otlp-spans.ts';

/** What a tree needs of a span. */
export type TreeSpan = Pick<ReadSpan, 'traceId' | 'spanId' | 'parentId' | 'name' | 'kind' | 'status'>;

/**
 * One text per trace: a line `kind name` per span, children indented below their parent, siblings by their text; a span
 * with status Error ends with ` [error]`, one with Ok with ` [ok]`. A parent that is not among the spans is shown as
 * `(remote)` above them. Two runs of the same requests give the same texts, whatever the ids and the order.
 */
export const spanTrees = (spans: readonly TreeSpan[]): Map<string, string> => {
  const children = new Map<string, TreeSpan[]>();
  const known = new Set(spans.map((span) => `${span.traceId}/${span.spanId}`));
  for (const span of spans) {
    const parent = `${span.traceId}/${span.parentId ?? ''}`;
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const render = (parent: string, depth: number): string =>
    (children.get(parent) ?? [])
      .map((span) => {
        const status = span.status === 'unset' ? '' : ` [${span.status}]`;
        const line = `${'  '.repeat(depth)}${span.kind} ${span.name}${status}\n`;
        return line + render(`${span.traceId}/${span.spanId}`, depth + 1);
      })
      .sort()
      .join('');
  const trees = new Map<string, string>();
  for (const traceId of new Set(spans.map((span) => span.traceId))) {
    const roots = [...children.keys()].filter((parent) => parent.startsWith(`${traceId}/`) && !known.has(parent));
    const texts = roots.map((parent) => (parent.endsWith('/') ? render(parent, 0) : `(remote)\n${render(parent, 1)}`));
    trees.set(traceId, texts.sort().join('').trimEnd());
  }
  return trees;
};
