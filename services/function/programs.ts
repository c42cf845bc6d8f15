import type { Declared, EntryProblem, EntryRegistry } from '../../runtime/entry.ts';
import { internal } from '../../runtime/errors.ts';
import { type LuaEngine, type LuaProgram, LuaSyntaxError } from '../../runtime/lua/engine.ts';
import { nearest } from '../../runtime/nearest.ts';
import type { FunctionConfig, LibraryConfig } from './kinds.ts';

/** A problem of one code entry; `at` is the place in its Lua source where there is one. */
export interface SourceProblem extends EntryProblem {
  readonly entryId: string;
}

type Code = Declared<LibraryConfig | FunctionConfig>;

/** The programs of all code entries. Each library is compiled once, whoever imports it. */
export interface Programs {
  /** @throws CallError Internal when the entry does not load; its problems say why. */
  get(id: string): LuaProgram;
  /** Everything that is wrong with the sources, modules and imports, of all entries. */
  readonly problems: readonly SourceProblem[];
}

/**
 * Compiles every function and library of the app: syntax errors with file and line, unknown modules, import cycles,
 * one alias for two libraries (declarations.md, section 3). Runs nothing.
 */
export const loadPrograms = (engine: LuaEngine, registry: EntryRegistry): Programs => {
  const libraries = new Map(registry.declared<LibraryConfig>('library.lua').map((one) => [one.id, one]));
  const functions = registry.declared<FunctionConfig>('function.lua');
  const loaded = new Map<string, LuaProgram | undefined>();
  const problems: SourceProblem[] = [];

  /** `path` holds the importers, outermost first: an id that is in it already closes a cycle. */
  const load = (code: Code, path: readonly string[]): LuaProgram | undefined => {
    if (loaded.has(code.id)) return loaded.get(code.id);
    const program = compile(code, [...path, code.id]);
    loaded.set(code.id, program);
    return program;
  };
  const compile = (code: Code, path: readonly string[]): LuaProgram | undefined => {
    const before = problems.length;
    checkModules(engine, code, problems);
    const imports: Record<string, LuaProgram> = {};
    for (const [alias, id] of Object.entries(code.config.imports)) {
      const library = libraries.get(id);
      const at = path.indexOf(id);
      if (at >= 0) {
        report(problems, code, `imports.${alias}`, `import cycle: ${[...path.slice(at), id].join(' -> ')}`);
      } else if (library === undefined) {
        report(problems, code, `imports.${alias}`, `library not found: ${id}`);
      } else {
        const program = load(library, path);
        if (program === undefined) report(problems, code, `imports.${alias}`, `library does not load: ${id}`);
        else imports[alias] = program;
      }
    }
    checkAliases(code, libraries, problems);
    const program = compileSource(engine, code, imports, problems);
    return problems.length === before ? program : undefined;
  };

  for (const code of libraries.values()) load(code, []);
  for (const code of functions) load(code, []);
  return {
    problems,
    get(id) {
      const program = loaded.get(id);
      if (program !== undefined) return program;
      const why = problems.find((one) => one.entryId === id)?.message ?? 'no such code entry';
      throw internal(`${id} does not load: ${why}`);
    },
  };
};

/** What `validate` and the start of a program report of the Lua sources (boot calls it once the modules are defined). */
export const checkSources = (engine: LuaEngine, registry: EntryRegistry): readonly SourceProblem[] =>
  loadPrograms(engine, registry).problems;

const report = (problems: SourceProblem[], { id }: Code, path: string, message: string): void => {
  problems.push({ entryId: id, path, message });
};

const compileSource = (
  engine: LuaEngine,
  code: Code,
  imports: Readonly<Record<string, LuaProgram>>,
  problems: SourceProblem[],
): LuaProgram | undefined => {
  const { id, entry, config } = code;
  const file = entry.fileOf('source');
  // A block (`source: |`) begins in the line below its key.
  const isBlock = config.source.includes('\n');
  const lineOffset = file === undefined ? (entry.position('source')?.line ?? 1) - (isBlock ? 0 : 1) : 0;
  try {
    return engine.load({
      id,
      source: config.source,
      path: file ?? entry.file,
      lineOffset,
      ...('method' in config && { method: config.method }),
      modules: config.modules,
      imports,
    });
  } catch (error) {
    if (!(error instanceof LuaSyntaxError)) throw error;
    const { path, line, column } = error;
    problems.push({ entryId: id, path: 'source', message: error.message, at: { file: path, line, column } });
    return undefined;
  }
};

const checkModules = (engine: LuaEngine, code: Code, problems: SourceProblem[]): void => {
  for (const [i, name] of code.config.modules.entries()) {
    if (engine.moduleNames.has(name)) continue;
    const known = nearest(name, engine.moduleNames);
    const hint = known === undefined ? '' : ` Did you mean '${known}'?`;
    report(problems, code, `modules[${i}]`, `unknown module '${name}'.${hint}`);
  }
};

/** Within one entry and everything it imports an alias means one library, and no module has its name. */
const checkAliases = (code: Code, libraries: ReadonlyMap<string, Code>, problems: SourceProblem[]): void => {
  const meaning = new Map<string, string>();
  const modules = new Set<string>();
  const seen = new Set<string>();
  const visit = (one: Code): void => {
    if (seen.has(one.id)) return;
    seen.add(one.id);
    for (const name of one.config.modules) modules.add(name);
    for (const [alias, id] of Object.entries(one.config.imports)) {
      const other = meaning.get(alias);
      if (other !== undefined && other !== id) {
        report(problems, code, 'imports', `alias '${alias}' is bound to two libraries: ${other} and ${id}`);
      }
      meaning.set(alias, id);
      const library = libraries.get(id);
      if (library !== undefined) visit(library);
    }
  };
  visit(code);
  for (const alias of meaning.keys()) {
    if (modules.has(alias)) report(problems, code, `imports.${alias}`, `alias '${alias}' is also the name of a module`);
  }
};
