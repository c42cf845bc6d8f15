import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { ExportResultCode } from '@opentelemetry/core';
import type * as JsonTraces from '@opentelemetry/exporter-trace-otlp-http';
import type { CompressionAlgorithm, OTLPExporterNodeConfigBase } from '@opentelemetry/otlp-exporter-base';
import type * as NodeHttp from '@opentelemetry/otlp-exporter-base/node-http';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import { messageOf } from '../../runtime/errors.ts';
import { type ExportResponse, jsonResponse, type PartialSuccess, protobufResponse } from './otlp/export-response.ts';
import { jsonMetrics } from './otlp/metric-json.ts';
import { protobufMetrics } from './otlp/metric-request.ts';
import type { EncodedSpans } from './otlp/span-batch.ts';
import type { OtlpSettings, PemFile } from './settings-types.ts';

/** Loaded when something is to be sent: a program that sends nothing starts sooner without them. */
const require = createRequire(import.meta.url);

/** A connection to a collector that can be given up: the SDK would retry for its whole timeout. */
export interface Transport {
  readonly config: OTLPExporterNodeConfigBase;
  /** Breaks what is under way and refuses every further attempt. */
  halt(): void;
}

/** @throws Error naming the variable and the file when it cannot be read. */
const read = (file: PemFile | undefined): Buffer | undefined => {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file.path);
  } catch (error) {
    throw new Error(`${file.from}: '${file.path}' cannot be read: ${messageOf(error)}`, { cause: error });
  }
};

/**
 * Pooled connections to one URL. `concurrent` exports may be under way at once; more would be refused by the SDK.
 * @throws Error when a certificate file cannot be read.
 */
export const transport = (url: string, settings: OtlpSettings, concurrent: number): Transport => {
  const options = {
    keepAlive: true,
    ca: read(settings.certificate),
    cert: read(settings.clientCertificate),
    key: read(settings.clientKey),
  };
  const agent = url.startsWith('https:') ? new https.Agent(options) : new http.Agent({ keepAlive: true });
  let isHalted = false;
  return {
    config: {
      url,
      // Asked for before every attempt, so a retry that is due after the halt ends there.
      headers: async () => {
        if (isHalted) throw new Error('the program has stopped');
        return { ...settings.headers };
      },
      timeoutMillis: settings.timeoutMs,
      compression: settings.compression as CompressionAlgorithm, // the same texts
      concurrencyLimit: Math.max(30, concurrent),
      httpAgentOptions: () => agent,
    },
    halt() {
      isHalted = true;
      agent.destroy();
    },
  };
};

/** What is sent in protobuf or JSON of our own, and how its answer is read. */
export interface Requests<T> {
  readonly signal: 'TRACES' | 'METRICS';
  readonly contentType: 'application/x-protobuf' | 'application/json';
  readonly serialize: (items: T) => Uint8Array;
  readonly count: (items: T) => number;
  readonly answer: (bytes: Uint8Array) => ExportResponse;
}

/** One request: how it ended, and what the collector refused of it although it took the request. */
export type SendDone = (failure: Error | undefined, partial: PartialSuccess | undefined) => void;

/** The SDK's own delivery (retries, timeout, gzip, TLS) of requests that are not its own. */
export interface Delivery<T> {
  /** `done` is called once; throws only what `serialize` throws. */
  send(items: T, done: SendDone): void;
  /** Waits for what is under way. */
  settle(): Promise<void>;
  shutdown(): Promise<void>;
}

const NO_REASON = 'no reason given';

export const delivery = <T>(config: OTLPExporterNodeConfigBase, requests: Requests<T>): Delivery<T> => {
  const { convertLegacyHttpOptions, createOtlpHttpExportDelegate } =
    require('@opentelemetry/otlp-exporter-base/node-http') as typeof NodeHttp;
  const { signal, contentType } = requests;
  // The answer is read right before its request is reported, in one go (otlp-exporter-base 0.223, OTLPExportDelegate).
  let partial: PartialSuccess | undefined;
  const delegate = createOtlpHttpExportDelegate<T, ExportResponse>(
    convertLegacyHttpOptions(config, signal, `v1/${signal.toLowerCase()}`, { 'Content-Type': contentType }),
    {
      serializeRequest: requests.serialize,
      deserializeResponse(bytes) {
        const response = requests.answer(bytes);
        partial = response.partialSuccess;
        return response;
      },
    },
    `otlp_http_${signal === 'TRACES' ? 'span' : 'metric'}_exporter`,
    { name: signal === 'TRACES' ? 'span' : 'metric_data_point', countItems: requests.count },
    undefined,
  );
  return {
    send(items, done) {
      delegate.export(items, ({ code, error }) => {
        const refused = partial;
        partial = undefined;
        done(code === ExportResultCode.SUCCESS ? undefined : (error ?? new Error(NO_REASON)), refused);
      });
    },
    settle: () => delegate.forceFlush(),
    shutdown: () => delegate.shutdown(),
  };
};

/** The SDK's exporter of spans as JSON. */
export const jsonSpanExporter = (config: OTLPExporterNodeConfigBase): SpanExporter => {
  const json = require('@opentelemetry/exporter-trace-otlp-http') as typeof JsonTraces;
  return new json.OTLPTraceExporter(config);
};

export const encodedSpanDelivery = (config: OTLPExporterNodeConfigBase): Delivery<EncodedSpans> =>
  delivery(config, {
    signal: 'TRACES',
    contentType: 'application/x-protobuf',
    serialize: (batch) => batch.bytes,
    count: (batch) => batch.spans,
    answer: protobufResponse,
  });

const pointsOf = (metrics: ResourceMetrics): number =>
  metrics.scopeMetrics.reduce(
    (sum, scope) => sum + scope.metrics.reduce((points, metric) => points + metric.dataPoints.length, 0),
    0,
  );

export const metricDelivery = (
  settings: OtlpSettings,
  config: OTLPExporterNodeConfigBase,
): Delivery<ResourceMetrics> => {
  const shared = { signal: 'METRICS', count: pointsOf } as const;
  return settings.protocol === 'http/json'
    ? delivery(config, { ...shared, contentType: 'application/json', serialize: jsonMetrics, answer: jsonResponse })
    : delivery(config, {
        ...shared,
        contentType: 'application/x-protobuf',
        serialize: protobufMetrics(),
        answer: protobufResponse,
      });
};
