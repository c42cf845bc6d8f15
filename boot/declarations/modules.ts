import type { Path } from '../../runtime/dotted-path.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import type { Surface } from '../../runtime/surface.ts';

/** Part of every Lua environment; listing them is legal and changes nothing (lua/conventions.md, section 2). */
const ALWAYS_PRESENT = [
  'channel',
  'coroutine',
  'errors',
  'math',
  'os',
  'package',
  'payload',
  'process',
  'string',
  'table',
  'utf8',
];

export interface KnownModules {
  readonly names: ReadonlySet<string>;
  /** Modules of surfaces that are switched off, to the surface's name. */
  readonly off: ReadonlyMap<string, string>;
}

export const knownModules = (surfaces: readonly Surface[], isOff: (surface: Surface) => boolean): KnownModules => {
  const off = new Map(
    surfaces.filter(isOff).flatMap((one) => one.modules.map((name) => [name, one.name ?? ''] as const)),
  );
  const on = [...ALWAYS_PRESENT, ...surfaces.filter((one) => !isOff(one)).flatMap((one) => one.modules)];
  return { names: new Set(on.filter((name) => !off.has(name))), off };
};

/** What is wrong with the `modules` of an entry (declarations.md, section 3). Items that are no text are left to the schema. */
export const moduleFaults = (
  modules: unknown,
  known: KnownModules,
): readonly { readonly path: Path; readonly message: string }[] => {
  if (!Array.isArray(modules)) return [];
  return modules.flatMap((name: unknown, i) => {
    const message = typeof name === 'string' ? moduleFault(name, known) : undefined;
    return message === undefined ? [] : [{ path: ['modules', i], message }];
  });
};

const moduleFault = (name: string, { names, off }: KnownModules): string | undefined => {
  if (name === '') return 'module cannot be empty';
  if (name.includes(':')) return 'module cannot have a namespace';
  if (names.has(name)) return undefined;
  const surface = off.get(name);
  if (surface !== undefined) return `module '${name}' is switched off by surfaces.${surface}: false`;
  return `unknown module '${name}'.${didYouMean(name, names)}`;
};
