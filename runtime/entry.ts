import type { z } from 'zod';
import type { Problem } from './errors.ts';

/** One declaration, as it stands in its file: nothing resolved, nothing defaulted. */
export interface Entry {
  /** `namespace:name`, split at the first `:`. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
  /** File-level `meta` under the entry's own. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** All other keys; `file://` replaced by the file's text, placeholders still raw. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The declaring file, relative to the source root. */
  readonly file: string;
  /** Where a dotted path of this entry stands (`pool.size`, `meta.server`, `''` for the entry): 1-based. */
  position(path: string): { line: number; column: number } | undefined;
  /** The path of the file behind a `file://` value (`source`), relative to the source root. */
  fileOf(path: string): string | undefined;
}

/** A field that names another entry. `path` may hold `*` for every key of a map or item of a list. */
export interface ReferenceSpec {
  readonly path: string;
  /** Kinds the target may have. Empty: any. */
  readonly kinds: readonly string[];
  /** `false`: starting this entry does not need the target's start (a function that an endpoint calls does; a dead letter queue may not). Default true. */
  readonly startsAfter?: boolean;
  /** What the message about a target that does not exist begins with. */
  readonly missing?: string;
  /** `true`: no entry needs to have this id. It is made absolute only (a group of policies). */
  readonly isName?: boolean;
}

/** What an entry kind accepts. `schema` sees `{ meta, ...data }` with placeholders resolved. */
export interface EntryKind<T = unknown> {
  readonly schema: z.ZodType<T>;
  readonly references?: readonly ReferenceSpec[];
  /** Checks that need more than one field, or a compiler; dotted paths in the problems' `path` are the entry's own. */
  readonly check?: (declared: Declared<T>) => readonly EntryProblem[];
}
export interface EntryProblem {
  readonly path: string;
  readonly message: string;
  readonly severity?: Problem['severity'];
  /** A place in another file than the declaration's (a Lua source). */
  readonly at?: { readonly file: string; readonly line?: number; readonly column?: number };
}

/** A valid entry: its configuration decoded, defaults filled in, references absolute. */
export interface Declared<T = unknown> {
  readonly id: string;
  readonly entry: Entry;
  readonly config: T;
}

/** The entries of the running app. */
export interface EntryRegistry {
  get(id: string): Entry | undefined;
  /** All entries, ordered by id. */
  all(): readonly Entry[];
  /** The valid entries of a kind, ordered by id. */
  declared<T>(kind: string): readonly Declared<T>[];
}

/** Absolute id of a reference: without `:` it means the entry's own namespace (declarations.md, section 2). */
export const resolveId = (reference: string, namespace: string): string =>
  reference.includes(':') ? reference : `${namespace}:${reference}`;
