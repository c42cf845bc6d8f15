import { systemClock } from '../runtime/clock.ts';
import type { EntryRegistry } from '../runtime/entry.ts';
import type { Problem } from '../runtime/errors.ts';
import { fengariEngine } from '../runtime/lua/fengari/engine.ts';
import type { Surface } from '../runtime/surface.ts';
import { checkSources } from '../services/code/programs.ts';
import { resolveOtelSettings } from '../services/otel/settings.ts';
import type { ResolvedOtel } from '../services/otel/settings-types.ts';
import { type LoadedConfig, loadConfig } from './config/load.ts';
import { loadDeclarations } from './declarations/load.ts';
import { validateEntries } from './declarations/validate.ts';
import { otelSectionFrom } from './otel-section.ts';
import { SURFACES } from './surfaces.ts';

/** Where an app and its settings come from. */
export interface AppSources {
  readonly dir: string;
  readonly configFiles: readonly string[];
  readonly sets: readonly string[];
  readonly overrides: readonly string[];
  /** The environment of the program. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Beside those that Perilune has: what a host program adds. */
  readonly surfaces?: readonly Surface[];
}

/** Everything that was read and checked; nothing is started. */
export interface App {
  readonly root: string;
  readonly loaded: LoadedConfig;
  readonly otel: ResolvedOtel;
  readonly entryCount: number;
  readonly fileCount: number;
  readonly registry: EntryRegistry;
  /** Everything that the app is built from, switched off or not. */
  readonly surfaces: readonly Surface[];
  /** What each entry waits for at the start. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  /** Warnings and errors of the boot file, the declarations and the Lua sources, all at once. */
  readonly problems: readonly Problem[];
}

/** Reads the boot file, the declarations and the Lua sources, and checks them. Throws nothing: what is wrong is in `problems`. */
export const loadApp = (sources: AppSources): App => {
  const { dir, variables, overrides } = sources;
  const loaded = loadConfig({ dir, files: sources.configFiles, sets: sources.sets, env: variables });
  const otel = resolveOtelSettings(otelSectionFrom(loaded, 'file'), variables, otelSectionFrom(loaded, 'set'));
  const surfaces = [...SURFACES, ...(sources.surfaces ?? [])];
  const declarations = loadDeclarations(dir, { overrides });
  const validation = validateEntries({
    entries: declarations.entries,
    surfaces,
    switches: loaded.config.surfaces,
    osVariables: variables,
    root: declarations.root,
  });
  return {
    root: declarations.root,
    loaded,
    otel,
    entryCount: declarations.entries.length,
    fileCount: declarations.fileCount,
    registry: validation.registry,
    surfaces,
    needs: validation.needs,
    problems: [
      ...loaded.problems,
      ...declarations.problems,
      ...validation.problems,
      ...sourceProblems(validation.registry),
    ],
  };
};

/** Compiles all Lua in an engine of its own: a syntax error is found before anything is built, and told with the rest. */
const sourceProblems = (registry: EntryRegistry): readonly Problem[] => {
  const engine = fengariEngine({
    clock: systemClock(),
    print: () => {},
    onReleaseError: () => {},
    limits: { instructions: 0, cpuMs: 0, resultBytes: 0 },
  });
  return checkSources(engine, registry).map(({ id, path, message, at }): Problem => {
    if (at !== undefined) return { ...at, path: id, message, severity: 'error' };
    const entry = registry.get(id);
    return { file: entry?.file ?? '', ...entry?.position(path), path: `${id}.${path}`, message, severity: 'error' };
  });
};
