import {
  type CounterSpec,
  type GaugeSpec,
  type HistogramSpec,
  LIFETIME_SECONDS,
} from '../../runtime/metrics/instruments.ts';

/** `slot` is the replication slot; of a source without one its name. */
export const cdcChanges: CounterSpec<'slot' | 'op'> = {
  name: 'cdc_changes_total',
  help: 'Changes since the start that were captured and handed on.',
  unit: '{change}',
  labels: ['slot', 'op'],
};
export const cdcRetainedWal: GaugeSpec<'slot'> = {
  name: 'cdc_retained_wal_bytes',
  help: 'Log that the server keeps for the slot, as read every status_interval.',
  unit: 'By',
  labels: ['slot'],
};
export const cdcErrors: CounterSpec<'slot'> = {
  name: 'cdc_errors_total',
  help: 'Failures since the start that ended a connection, stopped a consumer or lost a change to skip or a dead letter queue.',
  unit: '{error}',
  labels: ['slot'],
};
export const cdcProcessDuration: HistogramSpec<'slot' | 'result'> = {
  name: 'cdc_process_duration_seconds',
  help: 'Time that one attempt of a consumer to handle a change took.',
  unit: 's',
  labels: ['slot', 'result'],
  boundaries: LIFETIME_SECONDS,
};
export const cdcLag: GaugeSpec<'slot'> = {
  name: 'cdc_lag_seconds',
  help: 'Age, since its commit, of the oldest change that is not handled yet; 0 while there is none.',
  unit: 's',
  labels: ['slot'],
};
