import { readFileSync } from 'node:fs';

/** The package's version; `boot/` is one folder below it in a checkout and two in what is published. */
export const packageVersion = (): string => {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (found.name === 'perilune' && found.version !== undefined) return found.version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // not here: the other place
    }
  }
  throw new Error('package.json of perilune was not found beside its program: the installation is incomplete');
};
