import type { COMPONENT_ERROR_KINDS } from '../../runtime/metrics/vocabulary.ts';

type Kind = (typeof COMPONENT_ERROR_KINDS)[number];

const CONNECT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']);
const TIMEOUT = new Set(['ETIMEDOUT', 'ESOCKETTIMEDOUT', 'ABORT_ERR']);
/** Codes of OpenSSL's certificate checks, as Node reports them beside `ERR_TLS_*`, `ERR_SSL_*` and `CERT_*`. */
const TLS = new Set([
  'EPROTO',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'HOSTNAME_MISMATCH',
]);
/** Texts of the SDK that come without a code (otlp-exporter-base 0.223, otlp-export-delegate, http-transport-utils). */
const BY_MESSAGE: Readonly<Record<string, Kind>> = {
  'Request timed out': 'timeout',
  // It says so for 429, 502, 503 and 504 alike, without the status.
  'Export failed with retryable status': 'throttled',
  'Concurrent export limit reached': 'throttled',
  'Nothing to send': 'encode',
};

const byStatus = (status: number): Kind => {
  if (status === 429) return 'throttled';
  return status >= 500 ? 'downstream' : 'rejected';
};

/** What went wrong with an export, from a closed set. */
export const failureKind = (error: unknown): Kind => {
  if (typeof error !== 'object' || error === null) return 'internal';
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'number') return byStatus(code);
  if (typeof code === 'string') {
    if (CONNECT.has(code)) return 'connect';
    if (TIMEOUT.has(code)) return 'timeout';
    if (TLS.has(code) || ['ERR_TLS', 'ERR_SSL', 'CERT_'].some((prefix) => code.startsWith(prefix))) return 'tls';
    if (code === 'ECONNRESET') return 'read';
    if (code === 'EPIPE') return 'write';
    if (code.startsWith('HPE_')) return 'parse';
  }
  return (typeof message === 'string' ? BY_MESSAGE[message] : undefined) ?? 'internal';
};
