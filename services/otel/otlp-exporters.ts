import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { AggregationTemporalityPreference, OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as OTLPProtoMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as OTLPProtoTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { CompressionAlgorithm, type OTLPExporterNodeConfigBase } from '@opentelemetry/otlp-exporter-base';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { OtlpSettings, Temporality } from './settings-types.ts';

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
      compression: settings.compression === 'gzip' ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
      concurrencyLimit: Math.max(30, concurrent),
      httpAgentOptions: () => agent,
    },
    halt() {
      isHalted = true;
      agent.destroy();
    },
  };
};

export const otlpSpanExporter = (settings: OtlpSettings, config: OTLPExporterNodeConfigBase): SpanExporter =>
  settings.protocol === 'http/json' ? new OTLPTraceExporter(config) : new OTLPProtoTraceExporter(config);

const TEMPORALITY: Readonly<Record<Temporality, AggregationTemporalityPreference>> = {
  cumulative: AggregationTemporalityPreference.CUMULATIVE,
  delta: AggregationTemporalityPreference.DELTA,
  lowmemory: AggregationTemporalityPreference.LOWMEMORY,
};

export const otlpMetricExporter = (
  settings: OtlpSettings,
  config: OTLPExporterNodeConfigBase,
  temporality: Temporality,
): PushMetricExporter => {
  const options = { ...config, temporalityPreference: TEMPORALITY[temporality] };
  return settings.protocol === 'http/json' ? new OTLPMetricExporter(options) : new OTLPProtoMetricExporter(options);
};
