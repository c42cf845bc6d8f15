/** Closed sets of label values (telemetry.md, section 1). A value outside its set is folded to `other`. */
export const COMPONENT_ERROR_KINDS = [
  'connect',
  'timeout',
  'tls',
  'read',
  'write',
  'parse',
  'encode',
  'rejected',
  'throttled',
  'downstream',
  'cardinality',
  'init',
  'internal',
] as const;
export const INIT_ERROR_REASONS = ['config', 'instrument', 'exporter', 'unsupported'] as const;
export const INVALID_OBSERVATION_REASONS = ['negative', 'nan', 'infinite', 'kind_conflict', 'name', 'labels'] as const;
export const OTHER = 'other';

/** `value` where its closed set has it, else `other`. */
export const foldTo = <T extends string>(set: readonly T[], value: string): T | typeof OTHER =>
  (set as readonly string[]).includes(value) ? (value as T) : OTHER;
