import { stripTypeScriptTypes } from 'node:module';
import { type AnyNode, type Program, parse } from 'acorn';

/** One import of a source file, type-only ones included. */
export interface ImportedModule {
  readonly specifier: string;
  readonly line: number;
  readonly isTypeOnly: boolean;
}

// Stripping erases type imports, so imports are read from the text. Biome's format puts them at the start of a line.
const IMPORT = /^(import|export)(\s+type)?\s[^;'"]*?from\s+['"]([^'"]+)['"]|^import\s+()['"]([^'"]+)['"]/gm;

export const importsOf = (source: string): ImportedModule[] =>
  [...source.matchAll(IMPORT)].map((match) => ({
    specifier: match[3] ?? match[5] ?? '',
    line: source.slice(0, match.index).split('\n').length,
    isTypeOnly: match[2] !== undefined,
  }));

/** The JavaScript that Node.js runs, as a tree; lines are those of the source. */
export const syntaxOf = (source: string): Program =>
  parse(stripTypeScriptTypes(source), { ecmaVersion: 'latest', sourceType: 'module', locations: true });

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** Visits every node with its parent, parents first. */
export const visit = (node: AnyNode, seen: (node: AnyNode, parent: AnyNode | undefined) => void): void => {
  const walk = (at: AnyNode, parent: AnyNode | undefined): void => {
    seen(at, parent);
    for (const value of Object.values(at)) {
      if (Array.isArray(value)) for (const item of value) if (isNode(item)) walk(item, at);
      if (isNode(value)) walk(value, at);
    }
  };
  walk(node, undefined);
};
