import type { Path } from '../../runtime/dotted-path.ts';

/** Keys of a Wippy boot file that mean nothing here (boot.md): known, and ignored. */
const SECTIONS = new Set([
  'profiler',
  'cluster',
  'logmanager',
  'dispatcher',
  'extensions',
  'override',
  'lsp',
  'supervisor',
]);
/** Sections whose unknown keys are all Wippy's: `relay.*` beside `node_name` and so on. */
const OPEN_SECTIONS = new Set(['relay', 'lua', 'shutdown']);
const SINGLE_KEYS = new Set(['metrics.buffer', 'prometheus.max_cardinality']);

/** Whether an unknown key is one that Wippy knows. */
export const isWippyKey = (path: Path): boolean => {
  const [section, key] = path;
  if (path.length === 1) return SECTIONS.has(String(section));
  if (path.length > 2) return false;
  return OPEN_SECTIONS.has(String(section)) || SINGLE_KEYS.has(`${section}.${key}`);
};
