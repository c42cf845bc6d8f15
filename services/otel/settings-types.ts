import type { PropagatorName } from './propagator.ts';
import type { SamplerName } from './sampler.ts';
import type { Chooser, Origin, Variables } from './variables.ts';

export const TEMPORALITIES = ['cumulative', 'delta', 'lowmemory'] as const;
export type Temporality = (typeof TEMPORALITIES)[number];
export const PROTOCOLS = ['http/protobuf', 'http/json'] as const;
export type Protocol = (typeof PROTOCOLS)[number];
export type PushExporter = 'otlp' | 'console';

/** The section `otel` of the boot file, or what `--set` says of it. A key that is present was given; durations in milliseconds. */
export interface OtelSection {
  readonly enabled?: boolean;
  readonly endpoint?: string;
  readonly protocol?: Protocol | 'grpc';
  readonly insecure?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly service_name?: string;
  readonly service_version?: string;
  readonly sample_rate?: number;
  readonly sampler?: SamplerName;
  readonly propagators?: readonly string[];
  readonly traces_enabled?: boolean;
  readonly metrics_enabled?: boolean;
  readonly logs_enabled?: boolean;
  readonly batch?: {
    readonly max_queue_size?: number;
    readonly max_export_batch_size?: number;
    readonly schedule_delay?: number;
    readonly export_timeout?: number;
  };
  readonly metric_export_interval?: number;
  readonly metric_export_timeout?: number;
  readonly metrics_temporality?: Temporality;
}

export interface PemFile {
  readonly path: string;
  /** The variable that it is from. */
  readonly from: string;
}

/** How one signal is sent. */
export interface OtlpSettings {
  readonly endpoint: string;
  /** The variable or the key that it is from. */
  readonly endpointFrom: string;
  /** `v1/traces` is appended to a base URL; a per-signal variable is used as it is. */
  readonly isBase: boolean;
  readonly insecure: boolean;
  readonly protocol: Protocol;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly compression: 'gzip' | 'none';
  readonly certificate: PemFile | undefined;
  readonly clientCertificate: PemFile | undefined;
  readonly clientKey: PemFile | undefined;
}
export interface SpanLimits {
  readonly attributeValueLengthLimit: number;
  readonly attributeCountLimit: number;
  readonly eventCountLimit: number;
  readonly linkCountLimit: number;
  readonly attributePerEventCountLimit: number;
  readonly attributePerLinkCountLimit: number;
}
export interface BatchSettings {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduleDelayMs: number;
  readonly exportTimeoutMs: number;
}
export interface OtelSettings {
  /** `OTEL_SDK_DISABLED=true`: propagation is all that is left. */
  readonly isDisabled: boolean;
  /** Empty: no spans are made. */
  readonly traceExporters: readonly PushExporter[];
  /** Empty: no metrics are pushed. */
  readonly metricExporters: readonly PushExporter[];
  /** `OTEL_METRICS_EXPORTER=prometheus`: the operations port is to be open. */
  readonly wantsOperationsPort: boolean;
  readonly traces: OtlpSettings;
  readonly metrics: OtlpSettings;
  readonly sampler: { readonly name: SamplerName; readonly ratio: number };
  readonly limits: SpanLimits;
  readonly batch: BatchSettings;
  readonly metricIntervalMs: number;
  readonly metricTimeoutMs: number;
  readonly temporality: Temporality;
  readonly propagators: readonly PropagatorName[];
  /** What was configured; what is detected stands below it (resource.ts). */
  readonly resource: Readonly<Record<string, string>>;
}
export interface ResolvedOtel {
  readonly settings: OtelSettings;
  /** Each to be logged once. */
  readonly warnings: readonly string[];
  /** By key of the boot file, or by variable where there is no key. */
  readonly origins: Readonly<Record<string, Origin>>;
}

/** What one setting is resolved from. */
export interface Sources {
  readonly file: OtelSection;
  readonly flags: OtelSection;
  readonly variables: Variables;
  readonly from: Chooser;
}
