import type { SpanIds } from '../trace.ts';
import type {
  CounterSpec,
  GaugeSpec,
  HistogramSpec,
  InstrumentSpec,
  Labels,
  UpDownCounterSpec,
} from './instruments.ts';
import type { Capture, Snapshot } from './snapshot.ts';

/** A series of a counter. NaN, infinite and negative values change nothing, never throw, and are counted. */
export interface BoundCounter {
  add(value: number, exemplar?: SpanIds): void;
}
export interface BoundGauge {
  set(value: number): void;
}
export interface BoundUpDownCounter {
  add(value: number): void;
}
export interface BoundHistogram {
  observe(value: number, exemplar?: SpanIds): void;
}

/** Binding looks the labels up, once; the handle it returns costs no hashing and no allocation per emit. */
export interface Counter<L extends string> {
  bind(labels: Labels<L>): BoundCounter;
}
export interface Gauge<L extends string> {
  bind(labels: Labels<L>): BoundGauge;
}
export interface UpDownCounter<L extends string> {
  bind(labels: Labels<L>): BoundUpDownCounter;
}
export interface Histogram<L extends string> {
  bind(labels: Labels<L>): BoundHistogram;
}

export type Unregister = () => void;
export type ObservedKind = 'counter' | 'gauge' | 'upDownCounter';

/** Result of an emit by a program that passes names and labels at the call (the Lua `metrics` module). */
export type DynamicResult = { readonly ok: true } | { readonly ok: false; readonly problem: string };

/**
 * The one place that holds series. Registering a name twice with the same kind and labels gives the same instrument;
 * with another kind, labels or boundaries it throws an Error that names both (telemetry.md, section 1).
 */
export interface Collector {
  readonly namespace: string;
  counter<L extends string>(spec: CounterSpec<L>): Counter<L>;
  gauge<L extends string>(spec: GaugeSpec<L>): Gauge<L>;
  upDownCounter<L extends string>(spec: UpDownCounterSpec<L>): UpDownCounter<L>;
  histogram<L extends string>(spec: HistogramSpec<L>): Histogram<L>;
  /**
   * One series that is read at collection. `read` returning undefined leaves the series out; a throwing one drops its
   * own series only, and is counted in `<ns>_telemetry_callback_errors_total`.
   */
  observe<L extends string>(
    kind: ObservedKind,
    spec: InstrumentSpec<L>,
    labels: Labels<L>,
    read: () => number | undefined,
  ): Unregister;
  /** For names and labels that a program passes at the call; labels may vary under one name. Never throws. */
  readonly dynamic: {
    counterAdd(
      name: string,
      value: number,
      labels: Readonly<Record<string, string>>,
      exemplar?: SpanIds,
    ): DynamicResult;
    gaugeSet(name: string, value: number, labels: Readonly<Record<string, string>>): DynamicResult;
    gaugeAdd(name: string, value: number, labels: Readonly<Record<string, string>>): DynamicResult;
    histogramObserve(
      name: string,
      value: number,
      labels: Readonly<Record<string, string>>,
      exemplar?: SpanIds,
    ): DynamicResult;
  };
  /** Whether a family of this exported name is ours: third-party data of that name is dropped. */
  owns(exportedName: string): boolean;
  snapshot(): Snapshot;
  /** The same numbers for a sink that reads in slices. */
  capture(): Capture;
}
