import type { BoundHistogram, Unregister } from './collector.ts';
import { alsoExponential, type ExponentialSeries, exponentialSeries } from './exponential.ts';
import { type HandleOf, type HandleScope, handleFor, overflowHandleFor } from './handles.ts';
import { type ObservationReports, observedSeries } from './observed-series.ts';
import { VERSION } from './slots.ts';
import type { Family, InstrumentKind, Series } from './snapshot.ts';
import { type Member, type StoredSeries, storedSeries } from './stored-series.ts';
import { OTHER } from './vocabulary.ts';

/** One registered metric, before it has any series. */
export interface FamilyShape<K extends InstrumentKind> {
  readonly kind: K;
  /** As registered, namespace included. */
  readonly rawName: string;
  readonly name: string;
  readonly help: string;
  readonly unit: string;
  /** Ascending. Families of the Lua module have none here: their series bring their own. */
  readonly labels: readonly string[];
  readonly boundaries: readonly number[];
  /** Made by a program that passes names and labels at the call. */
  readonly isDynamic: boolean;
  /** Histograms: kept in exponential buckets as well. */
  readonly isExponential?: boolean;
}

export interface FamilyScope extends Omit<HandleScope, 'boundaries'>, ObservationReports {
  readonly maxSeries: number;
  /** Told about every value that goes over the cap. */
  readonly overflowed: () => void;
}

export interface MetricFamily<K extends InstrumentKind = InstrumentKind> {
  readonly shape: FamilyShape<K>;
  /** The handle of a label set; `names` ascending. Over the cap it is a handle of the one series for all others. */
  bind(names: readonly string[], values: readonly string[]): HandleOf<K>;
  /** Whether a label set that has no series yet would go over the cap. */
  readonly isFull: boolean;
  /** @throws Error when the label set has a series already. */
  observe(names: readonly string[], values: readonly string[], read: () => number | undefined): Unregister;
  refresh(): void;
  collect(): Family | undefined;
}

const seriesKey = (names: readonly string[], values: readonly string[]): string => JSON.stringify([names, values]);

export const metricFamily = <K extends InstrumentKind>(shape: FamilyShape<K>, scope: FamilyScope): MetricFamily<K> => {
  const handleScope: HandleScope = { ...scope, boundaries: shape.boundaries };
  const members = new Map<string, Member>();
  const handles = new Map<string, HandleOf<K>>();
  const observed = new Set<Member>();
  let overflowHandle: HandleOf<K> | undefined;
  let shown: Family | undefined;

  const store = (
    names: readonly string[],
    values: readonly string[],
    exponential: ExponentialSeries | undefined,
  ): StoredSeries =>
    storedSeries(scope.slots, {
      kind: shape.kind,
      labelNames: names,
      labelValues: values,
      startTime: scope.clock.wall(),
      buckets: shape.kind === 'histogram' ? shape.boundaries.length + 1 : 0,
      exponential,
    });

  const make = (key: string, names: readonly string[], values: readonly string[]): HandleOf<K> => {
    const exponential = shape.isExponential === true ? exponentialSeries() : undefined;
    const series = store(names, values, exponential);
    let handle = handleFor[shape.kind](handleScope, series);
    if (exponential !== undefined) {
      const version = (): number => scope.slots.cells[series.slot + VERSION] as number;
      handle = alsoExponential(handle as BoundHistogram, version, exponential) as HandleOf<K>;
    }
    members.set(key, series);
    handles.set(key, handle);
    return handle;
  };

  const otherHandle = (names: readonly string[]): HandleOf<K> => {
    const values = names.map(() => OTHER);
    const key = seriesKey(names, values);
    return handles.get(key) ?? make(key, names, values);
  };

  const family: MetricFamily<K> = {
    shape,
    get isFull() {
      return members.size >= scope.maxSeries;
    },
    bind(names, values) {
      const key = seriesKey(names, values);
      const known = handles.get(key);
      if (known !== undefined) return known;
      if (members.has(key)) {
        throw new Error(
          `metric '${shape.name}': series ${describe(names, values)} is read at collection and cannot be bound.`,
        );
      }
      // The series for everything over the cap takes no place of its own, nor does the one without labels.
      const isFree = names.length === 0 || (!shape.isDynamic && values.every((value) => value === OTHER));
      if (isFree || !family.isFull) return make(key, names, values);
      overflowHandle ??= overflowHandleFor[shape.kind](() => otherHandle(names), scope.overflowed);
      return overflowHandle;
    },
    observe(names, values, read) {
      const key = seriesKey(names, values);
      if (members.has(key)) {
        throw new Error(
          `metric '${shape.name}': series ${describe(names, values)} exists already; unregister it first.`,
        );
      }
      if (family.isFull) {
        scope.overflowed();
        return () => {};
      }
      const { kind } = shape;
      const startTime = scope.clock.wall();
      const member = observedSeries({ kind, labelNames: names, labelValues: values, startTime }, read, scope);
      members.set(key, member);
      observed.add(member);
      return () => {
        if (observed.delete(member)) members.delete(key);
      };
    },
    refresh() {
      for (const member of observed) member.refresh?.();
    },
    collect() {
      const series: Series[] = [];
      let isSame = shown !== undefined;
      for (const member of members.values()) {
        const one = member.collect();
        if (one === undefined) continue;
        if (isSame && shown?.series[series.length] !== one) isSame = false;
        series.push(one);
      }
      if (isSame && shown?.series.length === series.length) return shown;
      if (series.length === 0) {
        shown = undefined;
        return undefined;
      }
      const { name, kind, help, unit, boundaries } = shape;
      shown = { name, kind, help, unit, boundaries, series };
      return shown;
    },
  };
  return family;
};

const describe = (names: readonly string[], values: readonly string[]): string =>
  `{${names.map((name, i) => `${name}="${values[i]}"`).join(', ')}}`;
