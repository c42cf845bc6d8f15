import type { Exposition, Sample } from '../harness/prometheus-text.ts';

/** Gauges of what is under way: 0 when nothing is. */
const UNDER_WAY =
  /_in_flight$|_function_waiting$|_queue_depth$|_queue_oldest_age_seconds$|_cdc_lag_seconds$|_streams_active$|_process_active$|_subscribers_active$/;

const isUnderWay = ({ name, labels }: Sample): boolean =>
  UNDER_WAY.test(name) || (name.endsWith('_sql_pool_connections') && labels.state === 'used');

/** Those that a run must have moved: none of them may be missing. */
const NEEDED = [
  'wippy_http_requests_in_flight',
  'wippy_function_in_flight',
  'wippy_queue_in_flight',
  'wippy_queue_depth',
  'wippy_queue_oldest_age_seconds',
  'wippy_cdc_lag_seconds',
  'wippy_sql_pool_connections',
];

/** A program that was started last, when all was published, may have had no message: then it has neither of the two. */
const MESSAGES = 'wippy_queue_messages_total';
const OF_MESSAGES = 'wippy_queue_in_flight';

/** Every gauge that is not back at 0, and every one that is not there. Empty: nothing is under way. */
export const movedGauges = (exposition: Exposition): readonly string[] => {
  const gauges = exposition.samples.filter(isUnderWay);
  const has = (wanted: string): boolean => exposition.samples.some(({ name }) => name === wanted);
  const absent = NEEDED.filter((name) => !has(name) && (name !== OF_MESSAGES || has(MESSAGES)));
  const moved = gauges.filter(({ value }) => value !== 0);
  return [
    ...absent.map((name) => `${name} is missing`),
    ...moved.map(({ name, labels, value }) => `${name}${JSON.stringify(labels)} is ${value}`),
  ];
};
