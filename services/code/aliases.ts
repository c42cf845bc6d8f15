import type { EntryRegistry } from '../../runtime/entry.ts';
import type { CodeConfig } from '../../runtime/lua/code-schema.ts';
import type { SurfaceProblem } from '../../runtime/surface.ts';
import { CODE_KINDS } from './code-kinds.ts';
import type { Code } from './programs.ts';

/**
 * Within one entry and everything that it imports an alias means one library, and no module has its name
 * (declarations.md, section 3; processes-declarations.md, section 2).
 */
export const aliasProblems = (registry: EntryRegistry): readonly SurfaceProblem[] => {
  const libraries = new Map(registry.declared<CodeConfig>('library.lua').map((one) => [one.id, one]));
  const callers = CODE_KINDS.flatMap((kind) => registry.declared<CodeConfig>(kind));
  return [...libraries.values(), ...callers].flatMap((code) => conflictsOf(code, libraries));
};

const conflictsOf = (code: Code, libraries: ReadonlyMap<string, Code>): readonly SurfaceProblem[] => {
  const problems: SurfaceProblem[] = [];
  const meaning = new Map<string, string>();
  const modules = new Set<string>();
  const seen = new Set<Code>([code]);
  for (const { config } of seen) {
    for (const name of config.modules) modules.add(name);
    for (const [alias, id] of Object.entries(config.imports)) {
      const other = meaning.get(alias) ?? id;
      meaning.set(alias, id);
      if (other !== id) {
        const message = `Conflict: alias '${alias}' is bound to two libraries: ${other} and ${id}`;
        problems.push({ id: code.id, path: 'imports', message });
      }
      const library = libraries.get(id);
      if (library !== undefined) seen.add(library); // a set's loop also visits what is added meanwhile
    }
  }
  for (const alias of meaning.keys()) {
    if (!modules.has(alias)) continue;
    problems.push({ id: code.id, path: 'imports', message: `Conflict: alias '${alias}' is also the name of a module` });
  }
  return problems;
};
