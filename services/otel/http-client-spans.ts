import { errorMonitor } from 'node:events';
import http, { IncomingMessage } from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import {
  type Attributes,
  context as contextApi,
  createNoopMeter,
  type Span,
  SpanStatusCode,
  type TracerProvider,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import type * as InstrumentationHttp from '@opentelemetry/instrumentation-http';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { CallError, errorType } from '../../runtime/errors.ts';

/** Loaded on first use: it costs a tenth of a second of the start, which a program without tracing need not pay. */
const load = (): typeof InstrumentationHttp =>
  createRequire(import.meta.url)('@opentelemetry/instrumentation-http') as typeof InstrumentationHttp;

/** A value of `error.type` for a request without a response: our own kind, the system's code, or the error's class. */
const clientErrorType = (error: Error & { code?: unknown }): string => {
  if (error instanceof CallError) return errorType(error);
  return typeof error.code === 'string' ? error.code : error.name;
};

/** The instrumentation writes `Error` for every failure, right before it ends the span. */
const nameErrors = (span: Span, request: NodeJS.EventEmitter): void => {
  let failure: Error | undefined;
  request.once(errorMonitor, (error: Error) => {
    failure = error;
  });
  const setAttribute = span.setAttribute;
  span.setAttribute = (key, value) =>
    setAttribute.call(span, key, key === 'error.type' && failure !== undefined ? clientErrorType(failure) : value);
};

/** The instrumentation hides the values of a few known query parameters; any of them may be a secret (telemetry.md, section 2). */
const hideQueryValues = (span: Span): void => {
  const url = (span as Partial<ReadableSpan>).attributes?.['url.full'];
  if (typeof url !== 'string' || !url.includes('?')) return;
  span.setAttribute('url.full', url.replace(/(?<=[?&][^=&]*=)[^&]*/g, 'REDACTED'));
};

const responseError = (status: number): Attributes => ({ 'error.type': String(status) });

/** Client spans for requests made with the module objects of `node:http` and `node:https`. */
export interface HttpClientSpans {
  /** Gives `http.request`, `https.request` and their `get` spans and a `traceparent`. */
  enable(): void;
  disable(): void;
}

/**
 * Spans of outgoing requests only. The functions are replaced on the modules' default exports, by hand and not by hooks into
 * module loading: those need flags for ES modules and work once per process. So a client calls `http.request(...)` on
 * `import http from 'node:http'`; `import { request }` gets the plain function, as the SDK's own exporters do.
 */
export const httpClientSpans = (provider: TracerProvider): HttpClientSpans => {
  const { HttpInstrumentation } = load();
  const instrumentation = new HttpInstrumentation({
    enabled: false,
    disableIncomingRequestInstrumentation: true,
    ignoreOutgoingRequestHook: () => isTracingSuppressed(contextApi.active()),
    requestHook(span, request) {
      hideQueryValues(span);
      nameErrors(span, request);
    },
    responseHook(span, response) {
      if (!(response instanceof IncomingMessage) || (response.statusCode ?? 0) < 400) return;
      span.setAttributes(responseError(response.statusCode ?? 0));
      span.setStatus({ code: SpanStatusCode.ERROR });
    },
  });
  instrumentation.setTracerProvider(provider);
  // Our own wippy_http_client_* rows count the same requests.
  instrumentation.setMeterProvider({ getMeter: () => createNoopMeter() });
  const [forHttps, forHttp] = instrumentation.init();
  return {
    enable() {
      forHttp.patch?.(http);
      forHttps.patch?.(https);
    },
    disable() {
      forHttp.unpatch?.(http);
      forHttps.unpatch?.(https);
    },
  };
};
