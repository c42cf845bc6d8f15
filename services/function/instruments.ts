import {
  type CounterSpec,
  DURATION_SECONDS,
  type HistogramSpec,
  type UpDownCounterSpec,
} from '../../runtime/metrics/instruments.ts';

export const functionCalls: CounterSpec<'function_id' | 'status'> = {
  name: 'function_calls',
  help: 'Calls of a function since the start, by outcome.',
  unit: '{call}',
  labels: ['function_id', 'status'],
};
export const functionDuration: HistogramSpec<'function_id'> = {
  name: 'function_duration',
  help: 'Time a call of a function took in seconds, failed calls and the wait for a pool slot included.',
  unit: 's',
  labels: ['function_id'],
  boundaries: DURATION_SECONDS,
};
export const functionInFlight: UpDownCounterSpec<'function_id'> = {
  name: 'function_in_flight',
  help: 'Calls of a function that have begun and not ended, those that wait for a pool slot included.',
  unit: '{call}',
  labels: ['function_id'],
};
export const functionKilled: CounterSpec<'function_id' | 'reason'> = {
  name: 'function_killed_total',
  help: 'Calls that a limit ended since the start, by limit.',
  unit: '{call}',
  labels: ['function_id', 'reason'],
};
export const functionWaiting: UpDownCounterSpec<'function_id'> = {
  name: 'function_waiting',
  help: "Calls that wait for a slot of the function's pool. 0 until the pool's limit is reached.",
  unit: '{call}',
  labels: ['function_id'],
};
