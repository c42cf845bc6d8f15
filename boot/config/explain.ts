import { DEFAULT_ORIGIN, type Origin } from './layers.ts';
import type { LoadedConfig } from './load.ts';

/** One line of `validate --explain`. A row whose path is a key of the boot file replaces that key's line. */
export interface ExplainRow {
  readonly path: string;
  readonly value: unknown;
  readonly origin: Origin;
}

/** `path = value  (default | file:line | env NAME | --set)`, one a line, secrets as `***` (rule 128). */
export const explainConfig = (
  loaded: Pick<LoadedConfig, 'values' | 'origins'>,
  extra: readonly ExplainRow[] = [],
): readonly string[] => {
  const rows = new Map<string, ExplainRow>();
  for (const [path, value] of loaded.values) {
    rows.set(path, { path, value, origin: loaded.origins.get(path) ?? DEFAULT_ORIGIN });
  }
  for (const row of extra) rows.set(row.path, row);
  return [...rows.values()].map(renderRow);
};

export const renderRow = ({ path, value, origin }: ExplainRow): string =>
  `${path} = ${renderValue(path, value)}  (${origin.from === 'default' ? 'default' : origin.where})`;

const SECRET_NAME =
  /headers?(?:[._]|$)|password|passwd|secret|token|api[-_.]?key|credential|authorization|private[-_.]?key/i;

const renderValue = (path: string, value: unknown): string => {
  const isEmpty = value === '' || value === undefined || (typeof value === 'object' && JSON.stringify(value) === '{}');
  if (!isEmpty && typeof value !== 'boolean' && SECRET_NAME.test(path)) return '***';
  if (typeof value === 'string') return value === '' ? '""' : withoutCredentials(value);
  return value === undefined ? '' : withoutCredentials(JSON.stringify(value));
};

/** `http://user:password@host` and `?token=...`: what a URL may carry that nobody should read in a terminal. */
export const withoutCredentials = (text: string): string =>
  text
    .replace(/(\/\/)[^/\s@"]+@/g, '$1***@')
    .replace(/([?&][^=&\s]*(?:token|key|secret|password|signature|sig)[^=&\s]*=)[^&\s"]+/gi, '$1***');
