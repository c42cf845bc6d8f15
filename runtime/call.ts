import type { CallOptions } from './call-options.ts';
import type { CallContext } from './context.ts';
import type { CounterSpec, HistogramSpec, UpDownCounterSpec } from './metrics/instruments.ts';
import type { Attributes, Span, SpanDetail, SpanIds, SpanKind } from './trace.ts';

export const SURFACES = [
  'function',
  'queue.publish',
  'queue.process',
  'process',
  'kv',
  'sql',
  'cdc',
  'http.server',
  'http.client',
  'schedule',
] as const;
export type SurfaceName = (typeof SURFACES)[number];

/** One fixed place that calls go through. Known when it is declared, so that interceptors prepare everything once. */
export interface CallSite<In, Out> {
  readonly surface: SurfaceName;
  /** From a closed set per surface: `get`, `publish`, `call` ... */
  readonly operation: string;
  /** The entry id, e.g. `app.api:hello`. */
  readonly target: string;
  /** Absent: no span is made here. */
  readonly span?: SpanRecipe<In, Out>;
  /** Absent: nothing is measured here. */
  readonly metrics?: MetricRecipe<In, Out>;
  /** Absent: no line is written here. */
  readonly log?: LogRecipe<In, Out>;
  /** Absent: the guard lets everything in, also while the program drains (a nested call of running work). */
  readonly guarded?: boolean;
  /** Absent: calls carry no options here, so that retry and timeout have nothing to do. */
  readonly options?: OptionRecipe;
  /** The service that works when this site is called: its last activity is kept (telemetry.md, component health). */
  readonly component?: string;
}

/** An interceptor that hands on a call of its own keeps what it does not replace: `{ ...call, context }`. */
export interface Call<In> {
  readonly input: In;
  readonly context: CallContext;
  /** What retry and timeout do for this call; decoded by the surface. Absent: nothing. */
  readonly options?: CallOptions;
  /** 1 for the first; present where there may be more than one. */
  readonly attempt?: number;
  /** Tracing, the inner interceptor, writes the ids of a sampled span here; metrics, the outer one, reads them for exemplars. */
  trace?: SpanIds;
}

/** Synchronous when it can be: a promise only when it must. */
export type Next<In, Out> = (call: Call<In>) => Out | Promise<Out>;

export interface Interceptor {
  readonly name: string;
  /** Lower is further out. */
  readonly order: number;
  /** Runs once per site; returns `next` itself where it has nothing to do. */
  wrap<In, Out>(next: Next<In, Out>, site: CallSite<In, Out>): Next<In, Out>;
}

/** A site whose calls carry options (extensions.md, section 1). */
export interface OptionRecipe {
  /** Told before a call fails because its time is over. */
  readonly onTimeout: () => void;
}

/** Name, kind and attributes of a site's span, as data. */
export interface SpanRecipe<In, Out> {
  readonly name: string;
  readonly kind: SpanKind;
  /** Constant for the site; built once. */
  readonly attributes: Attributes;
  /** What this call adds before it starts (sampling sees it). */
  readonly detail?: (call: Call<In>) => SpanDetail | undefined;
  /** What is known when it has ended well. */
  readonly result?: (out: Out, call: Call<In>) => Attributes | undefined;
  /** Given the span of a sampled call when it has begun, for what happens while it lasts. */
  readonly started?: (span: Span, call: Call<In>) => void;
  /** An outcome that is an error though nothing was thrown: the value of `error.type`; undefined for none. */
  readonly failure?: (out: Out, call: Call<In>) => { type: string; message?: string } | undefined;
}

/** Which instruments a site drives, with its labels. All of them exist in `telemetry.md`, section 1. */
export interface MetricRecipe<In, Out> {
  /** Constant labels of the site, e.g. `{ queue: 'app:jobs' }`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Incremented when a call begins. */
  readonly starts?: CounterSpec<string>;
  /** Incremented once a call; gets the outcome label where its spec lists it. */
  readonly calls?: CounterSpec<string>;
  readonly duration?: HistogramSpec<string>;
  readonly inFlight?: UpDownCounterSpec<string>;
  /** The label that tells outcomes apart, and its value for a call. Absent: no such label. */
  readonly outcome?: {
    readonly label: string;
    readonly of: (out: Out, call: Call<In>) => string;
    readonly ofError: (error: unknown, call: Call<In>) => string;
  };
  /** Further counters of an outcome, e.g. the dead letters. */
}

/** The one line per request, message or event (telemetry.md, section 6). */
export interface LogRecipe<In, Out> {
  readonly subsystem: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  /** The level and more fields of this outcome; undefined writes no line. */
  readonly line: (outcome: CallOutcome<Out>, call: Call<In>) => LogLine | undefined;
}
export type CallOutcome<Out> =
  | { readonly ok: true; readonly value: Out }
  | { readonly ok: false; readonly error: unknown };
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields?: Readonly<Record<string, unknown>>;
}

export const isPromise = <T>(value: T | Promise<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

/**
 * Composes interceptors around a core, once per site.
 * @throws Error naming both when two interceptors have the same order, or one whose `wrap` gives no function.
 */
export const compose = (interceptors: readonly Interceptor[]) => {
  const sorted = [...interceptors].sort((a, b) => a.order - b.order);
  for (const [i, one] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined && next.order === one.order) {
      throw new Error(
        `interceptors '${one.name}' and '${next.name}' both have order ${one.order}. Give each its own order.`,
      );
    }
  }
  return <In, Out>(site: CallSite<In, Out>, core: Next<In, Out>): Next<In, Out> =>
    sorted.reduceRight<Next<In, Out>>((next, interceptor) => {
      const wrapped = interceptor.wrap(next, site);
      if (typeof wrapped === 'function') return wrapped;
      const at = `interceptor '${interceptor.name}': wrap gave ${typeof wrapped} for ${site.target}`;
      throw new Error(`${at}. Return a function, or \`next\` where there is nothing to do.`);
    }, core);
};
