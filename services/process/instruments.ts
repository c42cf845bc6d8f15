import {
  type CounterSpec,
  DURATION_SECONDS,
  type GaugeSpec,
  type HistogramSpec,
  LIFETIME_SECONDS,
  type UpDownCounterSpec,
} from '../../runtime/metrics/instruments.ts';

export const processStarted: CounterSpec<never> = {
  name: 'process_started_total',
  help: 'Processes started since the start of the program. 0 until the first.',
  unit: '{process}',
  labels: [],
};
export const processTerminated: CounterSpec<'result'> = {
  name: 'process_terminated_total',
  help: 'Processes that have ended since the start of the program, by how.',
  unit: '{process}',
  labels: ['result'],
};
export const processActive: UpDownCounterSpec<never> = {
  name: 'process_active',
  help: 'Processes that have started and not ended. 0 until the first.',
  unit: '{process}',
  labels: [],
};
export const processLifetime: HistogramSpec<'result'> = {
  name: 'process_lifetime_seconds',
  help: 'Time from the start of a process to its end, by how it ended.',
  unit: 's',
  labels: ['result'],
  boundaries: LIFETIME_SECONDS,
};
export const processTurn: HistogramSpec<never> = {
  name: 'process_turn_seconds',
  help: 'Time of one uninterrupted run of a process.',
  unit: 's',
  labels: [],
  boundaries: DURATION_SECONDS,
};
export const processRestarts: CounterSpec<'service'> = {
  name: 'process_restarts_total',
  help: 'Times that the process of a service was started again.',
  unit: '{restart}',
  labels: ['service'],
};
export const mailboxDepthMax: GaugeSpec<'host'> = {
  name: 'process_mailbox_depth_max',
  help: 'Messages in the fullest mailbox of a host now.',
  unit: '{message}',
  labels: ['host'],
};
export const sendsRefused: CounterSpec<'host'> = {
  name: 'process_sends_refused_total',
  help: "Messages that a full mailbox has refused. 0 until the host's max_mailbox is reached.",
  unit: '{message}',
  labels: ['host'],
};
