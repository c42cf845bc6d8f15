import { portKey } from '../../runtime/env.ts';

/** The `fs.directory` entries of the app. */
export interface Directories {
  /** Absolute path of an entry's folder; undefined when there is no such entry. */
  path(id: string): string | undefined;
}
export const DIRECTORIES = portKey<Directories>('directories');
