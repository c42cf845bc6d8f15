import {
  type CounterSpec,
  DURATION_SECONDS,
  type HistogramSpec,
  type UpDownCounterSpec,
} from '../../runtime/metrics/instruments.ts';

export const requestsTotal: CounterSpec<'method' | 'route' | 'status'> = {
  name: 'http_requests_total',
  help: 'HTTP requests answered; status 499 where the client left before a status was sent.',
  unit: '{request}',
  labels: ['method', 'route', 'status'],
};
export const requestDuration: HistogramSpec<'method' | 'route' | 'status'> = {
  name: 'http_request_duration_seconds',
  help: 'Time from the head of a request to the last byte of its response, streams and failures included.',
  unit: 's',
  labels: ['method', 'route', 'status'],
  boundaries: DURATION_SECONDS,
};
export const requestsInFlight: UpDownCounterSpec<'method' | 'route'> = {
  name: 'http_requests_in_flight',
  help: 'HTTP requests whose response has not ended.',
  unit: '{request}',
  labels: ['method', 'route'],
};
export const streamsActive: UpDownCounterSpec<'kind'> = {
  name: 'http_streams_active',
  help: 'Responses that stream to a client now. Absent until the first one.',
  unit: '{stream}',
  labels: ['kind'],
};

/** The methods of RFC 9110 and PATCH; every other one is `_OTHER` in labels and attributes (HTTP semantic conventions). */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
]);
export const OTHER_METHOD = '_OTHER';
/** Route label of requests that no endpoint answers. */
export const UNMATCHED = 'unmatched';
/** Status label where the client left before a status was sent. */
export const CLIENT_CLOSED = 499;
