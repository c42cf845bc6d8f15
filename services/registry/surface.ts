import { mkdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { messageOf, StartError } from '../../runtime/errors.ts';
import type { Component } from '../../runtime/lifecycle.ts';
import { required } from '../../runtime/schema-fields.ts';
import { entryKind, type Surface } from '../../runtime/surface.ts';
import { DIRECTORIES } from './port.ts';

const directorySchema = z.object({
  /** Relative to the source root. */
  directory: required('directory is required'),
  /** Create it when it is missing. */
  auto_init: z.boolean().default(false),
});
type DirectoryConfig = z.output<typeof directorySchema>;

/** Entries that are data (`registry.entry`) and folders that other entries name (`fs.directory`). Always on. */
export const registrySurface: Surface = {
  kinds: {
    // Inert: whatever it holds is there to be found by `registry.find`.
    'registry.entry': entryKind({ schema: z.looseObject({}) }),
    'fs.directory': entryKind({ schema: directorySchema }),
  },
  modules: [],
  build(env) {
    const paths = new Map<string, string>();
    const components: Component[] = [];
    for (const { id, config } of env.registry.declared<DirectoryConfig>('fs.directory')) {
      const path = resolve(env.settings.root, config.directory);
      paths.set(id, path);
      components.push({ name: id, needs: [], start: () => prepare(id, path, config.auto_init) });
    }
    env.provide(DIRECTORIES, { path: (id) => paths.get(id) });
    return components;
  },
};

const prepare = async (id: string, path: string, autoInit: boolean): Promise<void> => {
  try {
    if (autoInit) await mkdir(path, { recursive: true });
    if (!(await stat(path)).isDirectory()) throw new StartError(`${id}: ${path} is no directory. Name another one.`);
  } catch (error) {
    if (error instanceof StartError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new StartError(`${id}: directory ${path} does not exist. Create it, or set auto_init: true.`, error);
    }
    throw new StartError(`${id}: directory ${path} cannot be used: ${messageOf(error)}`, error);
  }
};
