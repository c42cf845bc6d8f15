import { renderJsonSchema } from './schema.ts';

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

/** Text of `docs/configuration.md`: every key of the boot file with type, default and help, made from the schema. */
export const renderReference = (): string => {
  const root = JSON.parse(renderJsonSchema()) as SchemaNode;
  const sections = Object.entries(root.properties ?? {}).flatMap(([name, node]) => section(name, node));
  return `${HEAD}\n${sections.join('\n')}\n`;
};

const HEAD = `# Configuration

\`perilune.yaml\` in the app's folder, or \`--config FILE\`. Defaults < files < standard environment variables < \`--set a.b=value\`.
\`perilune validate <dir> --explain\` shows every effective value and where it came from. Made from the schema: do not edit.

| key | type | default | meaning |
|---|---|---|---|`;

const code = (text: string): string => ['`', text, '`'].join('');

const section = (path: string, node: SchemaNode): readonly string[] => {
  if (node.properties !== undefined) {
    return Object.entries(node.properties).flatMap(([key, child]) => section(`${path}.${key}`, child));
  }
  const value = node.default === undefined ? '' : code(JSON.stringify(node.default));
  return [`| ${code(path)} | ${typeOf(node)} | ${value} | ${(node.description ?? '').replaceAll('|', '\\|')} |`];
};

const typeOf = (node: SchemaNode): string => {
  if (node.enum !== undefined) return node.enum.map((one) => code(String(one))).join(', ');
  if (node.anyOf !== undefined) return node.anyOf.map(typeOf).join(' or ');
  if (node.type === 'array') return `list of ${node.items === undefined ? 'values' : typeOf(node.items)}`;
  return node.type === 'object' ? 'map' : (node.type ?? 'any');
};
