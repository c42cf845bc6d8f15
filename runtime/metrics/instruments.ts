/** Duration histograms, in seconds, unless telemetry.md says otherwise. Changing a boundary is a breaking change. */
export const DURATION_SECONDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** For what may last long: lives of processes, waits in queues. */
export const LIFETIME_SECONDS: readonly number[] = [0.001, 0.01, 0.1, 1, 10, 60, 300, 1800, 3600, 21600, 86400];

/** What an instrument is. `L` are its label names. */
export interface InstrumentSpec<L extends string> {
  /** Without the namespace, which the collector puts before it: `function_calls`. */
  readonly name: string;
  /** `false`: the name is complete (`eventbus_...`, `nodejs_...`, a name made by Lua). Default true. */
  readonly namespaced?: boolean;
  /** What is counted, the window where there is one, and "0 until ..." where that holds. */
  readonly help: string;
  /** UCUM: `s`, `By`, `1`, or an annotation such as `{call}`. */
  readonly unit: string;
  readonly labels: readonly L[];
}
export interface CounterSpec<L extends string> extends InstrumentSpec<L> {
  readonly kind?: 'counter';
}
export interface GaugeSpec<L extends string> extends InstrumentSpec<L> {
  readonly kind?: 'gauge';
}
export interface UpDownCounterSpec<L extends string> extends InstrumentSpec<L> {
  readonly kind?: 'upDownCounter';
}
export interface HistogramSpec<L extends string> extends InstrumentSpec<L> {
  readonly kind?: 'histogram';
  /** Upper bounds, ascending, without +Inf. */
  readonly boundaries: readonly number[];
}
export type Labels<L extends string> = Readonly<Record<L, string>>;
