import { StartError } from '../../runtime/errors.ts';
import { codeSchema, IMPORTS } from '../../runtime/lua/code-schema.ts';
import { entryKind, type Surface } from '../../runtime/surface.ts';
import { aliasProblems } from './aliases.ts';
import { PROGRAMS } from './port.ts';
import { type LoadedPrograms, loadPrograms } from './programs.ts';

/** `library.lua`, and the compiled programs of all code entries (declarations.md, section 3). */
export const codeSurface: Surface = {
  kinds: { 'library.lua': entryKind({ schema: codeSchema, references: [IMPORTS] }) },
  modules: [],
  check: aliasProblems,
  build(env) {
    let loaded: LoadedPrograms | undefined;
    const load = (): LoadedPrograms => {
      loaded ??= loadPrograms(env.engine, env.registry);
      return loaded;
    };
    env.provide(PROGRAMS, { get: (id) => load().get(id) });
    return [
      {
        name: 'code',
        needs: [],
        async start() {
          const { problems } = load();
          if (problems.length === 0) return;
          throw new StartError(problems.map(({ id, path, message }) => `${id}: ${path}: ${message}`).join('\n'));
        },
      },
    ];
  },
};
