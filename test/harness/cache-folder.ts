import { homedir } from 'node:os';

/** Where built and fetched tools are kept: outside the tree, so that a clean checkout need not get them again. */
export const cacheFolder = (): string => {
  const base = process.env.XDG_CACHE_HOME;
  return `${base === undefined || base === '' ? `${homedir()}/.cache` : base}/perilune`;
};
