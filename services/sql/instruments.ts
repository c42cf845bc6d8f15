import {
  type CounterSpec,
  DURATION_SECONDS,
  type GaugeSpec,
  type HistogramSpec,
} from '../../runtime/metrics/instruments.ts';

/** The closed sets of the labels `op`, `result` and `state` (telemetry.md, section 1). */
export const SQL_OPERATIONS = ['query', 'exec', 'begin', 'commit', 'rollback'] as const;
export type SqlOperation = (typeof SQL_OPERATIONS)[number];
export const SQL_RESULTS = ['ok', 'error'] as const;
export const POOL_STATES = ['idle', 'used'] as const;

export const sqlOps: CounterSpec<'db' | 'op' | 'result'> = {
  name: 'sql_ops_total',
  help: 'Operations on a database since the start: direct, prepared and in transactions.',
  unit: '{operation}',
  labels: ['db', 'op', 'result'],
};
export const sqlDuration: HistogramSpec<'db' | 'op' | 'result'> = {
  name: 'sql_op_duration_seconds',
  help: 'Time a database operation took, the wait for a connection included, failed ones too.',
  unit: 's',
  labels: ['db', 'op', 'result'],
  boundaries: DURATION_SECONDS,
};
export const sqlPoolConnections: GaugeSpec<'db' | 'state'> = {
  name: 'sql_pool_connections',
  help: 'Connections to a database, by whether somebody uses them now.',
  unit: '{connection}',
  labels: ['db', 'state'],
};
export const sqlPoolWait: HistogramSpec<'db'> = {
  name: 'sql_pool_wait_seconds',
  help: 'Time until a connection was free, also where it came to none.',
  unit: 's',
  labels: ['db'],
  boundaries: DURATION_SECONDS,
};
