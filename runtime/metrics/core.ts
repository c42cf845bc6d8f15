import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { BoundCounter, Collector, Unregister } from './collector.ts';
import { dynamicMetrics } from './dynamic.ts';
import type { HandleOf, InvalidReason } from './handles.ts';
import type { CounterSpec, InstrumentSpec, Labels } from './instruments.ts';
import type { FamilyScope, MetricFamily } from './metric-family.ts';
import { checkSpec, exportedName } from './names.ts';
import { metricRegistry } from './registry.ts';
import { CALLBACK_ERRORS, INVALID_OBSERVATIONS, SERIES_OVERFLOW } from './self-metrics.ts';
import type { InstrumentKind } from './snapshot.ts';

export interface CollectorOptions {
  /** Put before the names that are namespaced: `wippy`. */
  readonly namespace: string;
  readonly clock: Clock;
  /** Series per metric; what comes after goes to one whose labels are all `other`. Default 2000. */
  readonly maxSeries?: number;
  /** Histograms, without namespace, that are kept in exponential buckets as well. */
  readonly exponentialHistograms?: readonly string[];
  readonly logger?: Logger;
}

const DEFAULT_MAX_SERIES = 2000;

type AnySpec = InstrumentSpec<string> & { readonly boundaries?: readonly number[] };

/** @throws Error when the namespace cannot begin a metric's name. */
export const createCollector = (options: CollectorOptions): Collector => {
  const { namespace, clock, maxSeries = DEFAULT_MAX_SERIES } = options;
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(namespace)) {
    throw new Error(`metrics.namespace: '${namespace}' cannot begin a metric name. Use letters, digits and '_'.`);
  }
  const logger = (options.logger ?? silentLogger).subsystem('telemetry');
  const exponential = new Set(options.exponentialHistograms);
  const registry = metricRegistry();

  const once = new Set<string>();
  /** Warns the first time; the counters tick each time. */
  const warnOnce = (topic: string, message: string, fields: Record<string, unknown>): void => {
    if (once.has(topic)) return;
    once.add(topic);
    logger.warn(message, fields);
  };

  const registerSelf = (spec: CounterSpec<string>): MetricFamily<'counter'> => register('counter', spec, selfScope);
  const countInvalid = (metric: string, reason: InvalidReason): void => {
    invalid.bind(['reason'], [reason]).add(1);
    warnOnce(`invalid ${metric}`, `metric '${metric}' was given what it cannot take; nothing was changed`, {
      metric,
      reason,
    });
  };
  /** Counts a value over the cap; may run on every emit, so that it looks its counter up once. */
  const overflowCount = (metric: string): (() => void) => {
    let counted: BoundCounter | undefined;
    return () => {
      if (counted === undefined) {
        counted = overflow.bind(['metric'], [metric]);
        const more = `more than ${maxSeries} label sets; new ones count as 'other'. Use fewer label values, or raise metrics.max_series`;
        logger.warn(`metric '${metric}' has ${more}`, { metric });
      }
      counted.add(1);
    };
  };
  const scopeOf = (metric: string): FamilyScope => ({
    ...selfScope(),
    reject: (reason) => countInvalid(metric, reason),
    overflowed: overflowCount(metric),
    failed(error, isFirst) {
      callbackErrors.bind(['metric'], [metric]).add(1);
      if (isFirst)
        logger.warn(`reading metric '${metric}' failed; its series is left out`, { metric, error: messageOf(error) });
    },
  });
  // What counts overflows must not count its own, or it would never end.
  const selfScope = (): FamilyScope => ({
    clock,
    maxSeries,
    reject: () => {},
    overflowed: () => {},
    failed: () => {},
  });

  const register = <K extends InstrumentKind>(
    kind: K,
    spec: AnySpec,
    scope: (name: string) => FamilyScope = scopeOf,
    isDynamic = false,
  ): MetricFamily<K> => {
    checkSpec(kind, spec, kind === 'histogram' ? (spec.boundaries ?? []) : undefined);
    const rawName = spec.namespaced === false ? spec.name : `${namespace}_${spec.name}`;
    const boundaries = kind === 'histogram' ? [...(spec.boundaries ?? [])] : [];
    const { help, unit } = spec;
    const labels = [...spec.labels].sort();
    const isExponential = kind === 'histogram' && exponential.has(spec.name);
    const name = exportedName(rawName);
    const shape = { kind, rawName, name, help, unit, labels, boundaries, isDynamic, isExponential };
    return registry.add(shape, scope);
  };

  const overflow = registerSelf(SERIES_OVERFLOW);
  const invalid = registerSelf(INVALID_OBSERVATIONS);
  const callbackErrors = registerSelf(CALLBACK_ERRORS);

  const instrument = <K extends InstrumentKind, L extends string>(kind: K, spec: AnySpec) => {
    const family = register(kind, spec);
    return { bind: (labels: Labels<L>): HandleOf<K> => family.bind(family.shape.labels, valuesOf(family, labels)) };
  };

  return {
    namespace,
    counter: (spec) => instrument('counter', spec),
    gauge: (spec) => instrument('gauge', spec),
    upDownCounter: (spec) => instrument('upDownCounter', spec),
    histogram: (spec) => instrument('histogram', spec),
    observe(kind, spec, labels, read): Unregister {
      const family = register(kind, spec);
      return family.observe(family.shape.labels, valuesOf(family, labels), read);
    },
    dynamic: dynamicMetrics({
      find: (exported) => registry.get(exported),
      register: (kind, spec) => register(kind, spec, scopeOf, true),
      invalid: countInvalid,
    }),
    owns: (name) => registry.owns(name),
    snapshot: () => ({ families: registry.collect(), time: clock.wall() }),
    capture() {
      const time = clock.wall();
      return { time, families: registry.capture(time) };
    },
  };
};

/** @throws Error naming the label that is missing or was never registered. */
const valuesOf = (family: MetricFamily, labels: Readonly<Record<string, string>>): readonly string[] => {
  const { name, labels: names } = family.shape;
  for (const label of Object.keys(labels)) {
    if (!names.includes(label))
      throw new Error(`metric '${name}' has no label '${label}'; it has [${names.join(', ')}].`);
  }
  return names.map((label) => {
    const value = labels[label];
    if (typeof value !== 'string')
      throw new Error(`metric '${name}': label '${label}' needs a text, got ${typeof value}.`);
    return value.toWellFormed();
  });
};
