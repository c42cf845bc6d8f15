import type { Entry, EntryKind, EntryProblem, EntryRegistry } from './entry.ts';
import type { Env, Settings } from './env.ts';
import type { Component } from './lifecycle.ts';

/** A surface is one folder under `services/` plus one line in `boot/surfaces.ts`. */
export interface Surface {
  /** The key of `surfaces` in the boot file; undefined for what cannot be switched off (env, registry, stdlib). */
  readonly name?: 'function' | 'queue' | 'http' | 'process' | 'schedule' | 'kv' | 'sql' | 'cdc' | 'events';
  readonly kinds: Readonly<Record<string, EntryKind<never>>>;
  /** Names of the host modules and globals it defines: what `modules:` may list (declarations are checked before anything is built). */
  readonly modules: readonly string[];
  /** What only the entries together can tell: a name or a route that two of them claim. Runs for `validate` and the start alike. */
  readonly check?: (registry: EntryRegistry) => readonly SurfaceProblem[];
  /** What the sites of an entry have, for `validate --explain`; undefined for an entry without sites. */
  readonly sites?: (entry: Entry, app: { settings: Settings; registry: EntryRegistry }) => SiteTraits | undefined;
  /** Declares sites, provides ports, defines Lua modules. Nothing is started here and no I/O is done. */
  build(env: Env): readonly Component[];
}

/** Which interceptors find something to do at a site: one that finds nothing wraps nothing. */
export interface SiteTraits {
  readonly isGuarded?: boolean;
  /** Its calls carry options: retry and timeout. */
  readonly hasOptions?: boolean;
  readonly isMeasured?: boolean;
  readonly hasSpan?: boolean;
  readonly hasLine?: boolean;
}

/** Found by looking at several entries; `id` is the one to blame. */
export interface SurfaceProblem extends EntryProblem {
  readonly id: string;
}

/** A kind whose schema's type is kept where it is declared and forgotten where it is collected. */
export const entryKind = <T>(kind: EntryKind<T>): EntryKind<never> => kind as unknown as EntryKind<never>;
