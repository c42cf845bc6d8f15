/** One span of an expected trace: `kind name`, with ` [error]` behind it for a failed one, and what is below it. */
export interface Node {
  readonly line: string;
  readonly below: readonly Node[];
}
export const node = (line: string, ...below: readonly Node[]): Node => ({ line, below });
export const times = (count: number, line: string): readonly Node[] => Array.from({ length: count }, () => node(line));

const render = ({ line, below }: Node, depth: number): string =>
  `${'  '.repeat(depth)}${line}\n${below
    .map((one) => render(one, depth + 1))
    .sort()
    .join('')}`;

/** The text that `spanTrees` gives such a trace. */
export const treeText = (root: Node): string => render(root, 0).trimEnd();
