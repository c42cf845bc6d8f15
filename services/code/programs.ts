import type { Declared, EntryRegistry } from '../../runtime/entry.ts';
import { internal } from '../../runtime/errors.ts';
import type { CodeConfig } from '../../runtime/lua/code-schema.ts';
import { type LuaEngine, type LuaProgram, LuaSyntaxError } from '../../runtime/lua/engine.ts';
import type { SurfaceProblem } from '../../runtime/surface.ts';
import { CODE_KINDS } from './code-kinds.ts';
import type { Programs } from './port.ts';

/** `method` is the field of the table that the chunk returns; libraries have none. */
export type Code = Declared<CodeConfig & { readonly method?: string }>;

/** With everything that is wrong with the sources and imports of all entries; `at` is the place in a Lua file. */
export interface LoadedPrograms extends Programs {
  readonly problems: readonly SurfaceProblem[];
}

/**
 * Compiles every function, process and library of the app, imports first: syntax errors with file and line, imports that are
 * not there or lead round in a circle (declarations.md, section 3). Runs nothing.
 */
export const loadPrograms = (engine: LuaEngine, registry: EntryRegistry): LoadedPrograms => {
  const libraries = new Map(registry.declared<CodeConfig>('library.lua').map((one) => [one.id, one]));
  const callers = CODE_KINDS.flatMap((kind) => registry.declared<Code['config']>(kind));
  const loaded = new Map<string, LuaProgram | undefined>();
  const problems: SurfaceProblem[] = [];

  /** `path` holds the importers, outermost first: an id that is in it already closes a cycle. */
  const load = (code: Code, path: readonly string[]): LuaProgram | undefined => {
    if (loaded.has(code.id)) return loaded.get(code.id);
    const program = compile(code, [...path, code.id]);
    loaded.set(code.id, program);
    return program;
  };
  const compile = (code: Code, path: readonly string[]): LuaProgram | undefined => {
    const before = problems.length;
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
    const program = compileSource(engine, code, imports, problems);
    return problems.length === before ? program : undefined;
  };

  for (const code of libraries.values()) load(code, []);
  for (const code of callers) load(code, []);
  return {
    problems,
    get(id) {
      const program = loaded.get(id);
      if (program !== undefined) return program;
      const why = problems.find((one) => one.id === id)?.message ?? 'no such code entry';
      throw internal(`${id} does not load: ${why}`);
    },
  };
};

/** What `validate` and the start of a program report of the Lua sources (boot calls it once the modules are defined). */
export const checkSources = (engine: LuaEngine, registry: EntryRegistry): readonly SurfaceProblem[] =>
  loadPrograms(engine, registry).problems;

const report = (problems: SurfaceProblem[], { id }: Code, path: string, message: string): void => {
  problems.push({ id, path, message });
};

const compileSource = (
  engine: LuaEngine,
  code: Code,
  imports: Readonly<Record<string, LuaProgram>>,
  problems: SurfaceProblem[],
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
      method: config.method,
      modules: config.modules,
      imports,
    });
  } catch (error) {
    if (!(error instanceof LuaSyntaxError)) throw error;
    const { path, line, column } = error;
    problems.push({ id, path: 'source', message: error.message, at: { file: path, line, column } });
    return undefined;
  }
};
