import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import type * as JsonMetrics from '@opentelemetry/exporter-metrics-otlp-http';
import type * as ProtobufMetrics from '@opentelemetry/exporter-metrics-otlp-proto';
import type * as JsonTraces from '@opentelemetry/exporter-trace-otlp-http';
import type * as ProtobufTraces from '@opentelemetry/exporter-trace-otlp-proto';
import type { CompressionAlgorithm, OTLPExporterNodeConfigBase } from '@opentelemetry/otlp-exporter-base';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { OtlpSettings, Temporality } from './settings-types.ts';

/** The exporters are loaded when one is built: a program that sends nothing starts sooner without them. */
const require = createRequire(import.meta.url);

/** A connection to a collector that can be given up: the SDK would retry for its whole timeout. */
export interface Transport {
  readonly config: OTLPExporterNodeConfigBase;
  /** Breaks what is under way and refuses every further attempt. */
  halt(): void;
}

const read = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));

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

export const otlpSpanExporter = (settings: OtlpSettings, config: OTLPExporterNodeConfigBase): SpanExporter => {
  if (settings.protocol === 'http/json') {
    const json = require('@opentelemetry/exporter-trace-otlp-http') as typeof JsonTraces;
    return new json.OTLPTraceExporter(config);
  }
  const protobuf = require('@opentelemetry/exporter-trace-otlp-proto') as typeof ProtobufTraces;
  return new protobuf.OTLPTraceExporter(config);
};

export const otlpMetricExporter = (
  settings: OtlpSettings,
  config: OTLPExporterNodeConfigBase,
  temporality: Temporality,
): PushMetricExporter => {
  const json = require('@opentelemetry/exporter-metrics-otlp-http') as typeof JsonMetrics;
  const { DELTA, CUMULATIVE, LOWMEMORY } = json.AggregationTemporalityPreference;
  const temporalityPreference = { delta: DELTA, cumulative: CUMULATIVE, lowmemory: LOWMEMORY }[temporality];
  const options = { ...config, temporalityPreference };
  if (settings.protocol === 'http/json') return new json.OTLPMetricExporter(options);
  const protobuf = require('@opentelemetry/exporter-metrics-otlp-proto') as typeof ProtobufMetrics;
  return new protobuf.OTLPMetricExporter(options);
};
