import type { Context, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import type { Interceptor } from '../../runtime/call.ts';
import type { CallContext } from '../../runtime/context.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { LuaClass, LuaModule } from '../../runtime/lua/engine.ts';
import type { HostValue } from '../../runtime/lua/values.ts';
import type { Collector } from '../../runtime/metrics/collector.ts';
import type { Propagator } from '../../runtime/trace.ts';
import type { StructuredLogger } from '../../services/log/host-logger.ts';

/** What a runtime is made from. Only `dir` is required; what is left out is not read from the process instead. */
export interface RuntimeOptions {
  /** The app's folder: `new URL('./app', import.meta.url)`, or a path relative to the working directory. */
  readonly dir: string | URL;
  /** Boot files, later ones win, instead of `perilune.yaml` in the folder; paths relative to the working directory. */
  readonly config?: string | readonly string[];
  /** Single settings by their path, above files and variables: `{ 'lua.budget.cpu_ms': 100 }`. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** Single fields of entries: `{ 'app:web:addr': '127.0.0.1:0' }`. */
  readonly override?: Readonly<Record<string, unknown>>;
  /**
   * The environment that placeholders, `env.storage.os` and the standard `OTEL_*` and `LOG_*` variables are read from.
   * Default `{}`: pass `process.env` to share the process's own.
   */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Makes all spans of the runtime. Flushing it and shutting it down stay with the host. Absent: `otel` of the boot file. */
  readonly tracerProvider?: TracerProvider;
  /** Of OpenTelemetry's API, or ours. Absent: `otel.propagators` of the boot file. */
  readonly propagator?: Propagator | TextMapPropagator;
  /** Ours, or any that takes fields first and then a message (pino). Levels and format are its own. Absent: no lines. */
  readonly logger?: Logger | StructuredLogger;
  /**
   * Holds all series of the runtime, beside those of the host; `metrics.namespace` and `metrics.max_series` are then the
   * collector's own. One running runtime each: two that share one would claim the same series. Absent: one of its own.
   */
  readonly collector?: Collector;
  /** What `<ns>_build_info` says of the host; the version is Perilune's unless given. */
  readonly build?: { readonly version?: string; readonly revision?: string };
  /** Lua modules of the host: entries list them in `modules`, handlers `require` them. */
  readonly modules?: readonly LuaModule[];
  /** The classes of the host objects that these modules return. */
  // biome-ignore lint/suspicious/noExplicitAny: classes of all types are collected here.
  readonly classes?: readonly LuaClass<any>[];
  /** Wrapped around every site, among Perilune's own by their order. */
  readonly interceptors?: readonly Interceptor[];
}

/** What one call of a function may be given beside its arguments. */
export interface CallOptions {
  /**
   * What the call belongs to: the host's own context (`context.active()` of OpenTelemetry's API), or that of a Lua thread
   * when a host function calls back. Absent: the call is a root.
   */
  readonly parent?: Context | CallContext;
  /** Headers that the propagator reads the caller's trace from; names in any case. Above `parent`. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Cancels the call: it fails with Canceled, or with Timeout for `AbortSignal.timeout`. */
  readonly signal?: AbortSignal;
  /** As in `with_options`: they win over the entry's `meta.options`, key by key. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** What the handler, and everything it calls, reads with `ctx.get`. */
  readonly values?: Readonly<Record<string, HostValue>>;
}
