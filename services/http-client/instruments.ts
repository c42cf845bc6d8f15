import { type CounterSpec, DURATION_SECONDS, type HistogramSpec } from '../../runtime/metrics/instruments.ts';

export const clientRequestsTotal: CounterSpec<'method' | 'host' | 'status'> = {
  name: 'http_client_requests_total',
  help: 'Outgoing HTTP requests, each redirect its own; status error where no whole response came.',
  unit: '{request}',
  labels: ['method', 'host', 'status'],
};
export const clientRequestDuration: HistogramSpec<'method' | 'host' | 'status'> = {
  name: 'http_client_request_duration_seconds',
  help: 'Time from an outgoing HTTP request to the last byte of its response, failures included.',
  unit: 's',
  labels: ['method', 'host', 'status'],
  boundaries: DURATION_SECONDS,
};
