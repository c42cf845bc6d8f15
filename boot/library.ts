/**
 * The library entry point, `import { createRuntime } from 'perilune'`: everything a host program may use, and nothing
 * else. What is not named here may change at any time. docs/embedding.md explains it with examples.
 */

// biome-ignore-start lint/performance/noBarrelFile: the package has one public module, and this is it.
export { isPromise } from '../runtime/call.ts';
export { systemClock } from '../runtime/clock.ts';
export { contextKey } from '../runtime/context.ts';
export { CallError, DeclarationError, StartError } from '../runtime/errors.ts';
export { LuaRaise, Suspension } from '../runtime/lua/engine.ts';
export { hostObject, LuaTable } from '../runtime/lua/values.ts';
export { createCollector } from '../runtime/metrics/core.ts';
export { TRACE } from '../runtime/trace.ts';
export { apiContextOf } from '../services/otel/host-propagator.ts';
export { createRuntime } from './library/runtime.ts';
// biome-ignore-end lint/performance/noBarrelFile: see above

export type {
  Call,
  CallOutcome,
  CallSite,
  Interceptor,
  LogLine,
  LogRecipe,
  MetricRecipe,
  Next,
  SpanRecipe,
  SurfaceName,
} from '../runtime/call.ts';
export type { Cancel, Clock } from '../runtime/clock.ts';
export type { HostData } from '../runtime/codec/host-data.ts';
export type { CallContext, ContextKey } from '../runtime/context.ts';
export type { CallErrorOptions, ErrorKind, LuaFrame, Problem } from '../runtime/errors.ts';
export type { LogFields, Logger, LogLevel, LogWrite, Subsystem } from '../runtime/logger.ts';
export type {
  HostFunction,
  HostMethod,
  HostResults,
  LuaClass,
  LuaModule,
  LuaRun,
  LuaThread,
} from '../runtime/lua/engine.ts';
export type { HostObject, HostValue, LuaKey, LuaOpaque, LuaReference, LuaValue } from '../runtime/lua/values.ts';
export type {
  BoundCounter,
  BoundGauge,
  BoundHistogram,
  BoundUpDownCounter,
  Collector,
  Counter,
  DynamicResult,
  Gauge,
  Histogram,
  ObservedKind,
  Unregister,
  UpDownCounter,
} from '../runtime/metrics/collector.ts';
export type { CollectorOptions } from '../runtime/metrics/core.ts';
export type {
  CounterSpec,
  GaugeSpec,
  HistogramSpec,
  InstrumentSpec,
  Labels,
  UpDownCounterSpec,
} from '../runtime/metrics/instruments.ts';
export type { Exemplar, Family, InstrumentKind, Series, Snapshot } from '../runtime/metrics/snapshot.ts';
export type {
  Attributes,
  AttributeValue,
  Propagator,
  SpanDetail,
  SpanIds,
  SpanKind,
  SpanLink,
  TraceContext,
} from '../runtime/trace.ts';
export type { StructuredLogger } from '../services/log/host-logger.ts';
export type { Rendering, ScrapeRequest } from '../services/prometheus/renderer.ts';
export type { CallOptions, RuntimeOptions } from './library/options.ts';
export type { Runtime } from './library/runtime.ts';
