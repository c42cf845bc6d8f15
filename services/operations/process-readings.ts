import type { ObservedKind } from '../../runtime/metrics/collector.ts';
import type { LoopDelay, ProcessSample } from './process-sample.ts';

/** What is known of the process; what could not be read is undefined. */
export interface ProcessState {
  sample: ProcessSample | undefined;
  delay: LoopDelay;
  lagSeconds: number;
  openFds: number | undefined;
  readonly startSeconds: number;
}

/** One series without labels that is read from the state at collection. */
interface ProcessReading {
  readonly kind: ObservedKind;
  readonly name: string;
  readonly unit: string;
  readonly help: string;
  readonly read: (state: ProcessState) => number | undefined;
}

const reading =
  (kind: ObservedKind, unit: string) =>
  (name: string, help: string, read: ProcessReading['read']): ProcessReading => ({ kind, name, unit, help, read });
const cpu = reading('counter', 's');
const seconds = reading('gauge', 's');
const bytes = reading('gauge', 'By');
const share = reading('gauge', '1');
const count = reading('gauge', '{item}');

const delays = (['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const).map((statistic) =>
  seconds(
    `nodejs_eventloop_lag_${statistic}_seconds`,
    `Delay of the event loop, ${statistic} of the last 30 to 60 s; 0 until the first sample.`,
    ({ delay }) => delay[statistic],
  ),
);

const cpuSeconds = ({ sample }: ProcessState): number | undefined =>
  sample && sample.cpuUserSeconds + sample.cpuSystemSeconds;

/** Names are those of prom-client's default metrics, because Node dashboards are made for them. */
export const PROCESS_READINGS: readonly ProcessReading[] = [
  cpu('process_cpu_user_seconds_total', 'CPU time used in user mode.', ({ sample }) => sample?.cpuUserSeconds),
  cpu('process_cpu_system_seconds_total', 'CPU time used in system mode.', ({ sample }) => sample?.cpuSystemSeconds),
  cpu('process_cpu_seconds_total', 'CPU time used.', cpuSeconds),
  seconds('process_start_time_seconds', 'When the process started, since the epoch.', (state) => state.startSeconds),
  bytes('process_resident_memory_bytes', 'Resident memory.', ({ sample }) => sample?.memory.rss),
  count('process_open_fds', 'Open file descriptors; absent where they cannot be counted.', ({ openFds }) => openFds),
  bytes('nodejs_heap_size_total_bytes', 'Size of the heap.', ({ sample }) => sample?.memory.heapTotal),
  bytes('nodejs_heap_size_used_bytes', 'Used part of the heap.', ({ sample }) => sample?.memory.heapUsed),
  bytes('nodejs_external_memory_bytes', 'Memory outside the heap.', ({ sample }) => sample?.memory.external),
  share(
    'nodejs_eventloop_utilization',
    'Busy share of the time between the last two samples.',
    ({ sample }) => sample?.utilization,
  ),
  seconds('nodejs_eventloop_lag_seconds', 'Lag of the event loop at the last sample.', ({ lagSeconds }) => lagSeconds),
  ...delays,
  count('nodejs_active_handles_total', 'Open handles, timers not counted.', ({ sample }) => sample?.handles),
  count('nodejs_active_requests_total', 'Requests to the system under way.', ({ sample }) => sample?.requests),
  count('nodejs_active_resources_total', 'All that keeps the process alive.', ({ sample }) => sample?.active),
];
