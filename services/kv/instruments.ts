import { type CounterSpec, DURATION_SECONDS, type HistogramSpec } from '../../runtime/metrics/instruments.ts';

/** The closed sets of the labels `op` and `result` (telemetry.md, section 1). */
export const KV_OPERATIONS = ['get', 'set', 'delete', 'put', 'has', 'list'] as const;
export type KvOperation = (typeof KV_OPERATIONS)[number];
export const KV_RESULTS = ['ok', 'not_found', 'conflict', 'error'] as const;
export type KvResult = (typeof KV_RESULTS)[number];

export const kvOps: CounterSpec<'namespace' | 'op' | 'result'> = {
  name: 'kv_ops_total',
  help: 'Operations on a store since the start, by outcome; a key that is not there is not an error.',
  unit: '{operation}',
  labels: ['namespace', 'op', 'result'],
};
export const kvDuration: HistogramSpec<'namespace' | 'op' | 'result'> = {
  name: 'kv_op_duration_seconds',
  help: 'Time a store operation took, failed ones included.',
  unit: 's',
  labels: ['namespace', 'op', 'result'],
  boundaries: DURATION_SECONDS,
};
