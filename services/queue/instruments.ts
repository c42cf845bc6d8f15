import {
  type CounterSpec,
  DURATION_SECONDS,
  type GaugeSpec,
  type HistogramSpec,
  LIFETIME_SECONDS,
  type UpDownCounterSpec,
} from '../../runtime/metrics/instruments.ts';

/** The closed set of `result` of a processed message; a dead letter counts as `dead`, not also as `nack`. */
export const SETTLEMENTS = ['ack', 'nack', 'dead'] as const;
export type Settlement = (typeof SETTLEMENTS)[number];

export const queueMessages: CounterSpec<'queue' | 'result'> = {
  name: 'queue_messages_total',
  help: 'Deliveries that ended since the start, by how they were settled.',
  unit: '{message}',
  labels: ['queue', 'result'],
};
export const queueProcessDuration: HistogramSpec<'queue' | 'result'> = {
  name: 'queue_process_duration_seconds',
  help: 'Time from a delivery to its settlement.',
  unit: 's',
  labels: ['queue', 'result'],
  boundaries: DURATION_SECONDS,
};
export const queueInFlight: UpDownCounterSpec<'queue'> = {
  name: 'queue_in_flight',
  help: 'Deliveries that are being processed.',
  unit: '{message}',
  labels: ['queue'],
};
export const queuePublished: CounterSpec<'queue' | 'result'> = {
  name: 'queue_published_total',
  help: 'Publishes since the start, by outcome; a repeated idempotency key is ok.',
  unit: '{message}',
  labels: ['queue', 'result'],
};
export const queueRedelivered: CounterSpec<'queue'> = {
  name: 'queue_redelivered_total',
  help: 'Deliveries since the start that were not the first of their message.',
  unit: '{message}',
  labels: ['queue'],
};
export const queueWait: HistogramSpec<'queue'> = {
  name: 'queue_wait_seconds',
  help: "Time from a message's publish to its first delivery, delays asked for included.",
  unit: 's',
  labels: ['queue'],
  boundaries: LIFETIME_SECONDS,
};
export const queueDepth: GaugeSpec<'queue'> = {
  name: 'queue_depth',
  help: 'Messages that wait in the queue, delayed ones included.',
  unit: '{message}',
  labels: ['queue'],
};
export const queueCapacity: GaugeSpec<'queue'> = {
  name: 'queue_capacity',
  help: 'Messages that may wait before a publish has to.',
  unit: '{message}',
  labels: ['queue'],
};
export const queueOldestAge: GaugeSpec<'queue'> = {
  name: 'queue_oldest_age_seconds',
  help: 'Age of the oldest message that waits, since its publish. 0 until one waits.',
  unit: 's',
  labels: ['queue'],
};
