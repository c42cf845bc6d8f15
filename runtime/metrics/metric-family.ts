import type { BoundHistogram, Unregister } from './collector.ts';
import { alsoExponential } from './exponential.ts';
import { type HandleOf, type HandleScope, handleFor, overflowHandleFor } from './handles.ts';
import { type ObservationReports, type ObservedSeries, observedSeries } from './observed-series.ts';
import { type SeriesBlock, seriesBlock } from './series-block.ts';
import { cellOf, VERSION } from './series-rows.ts';
import type { CapturedFamily, Family, FamilyHead, InstrumentKind, Series } from './snapshot.ts';
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
  /** The series that have these label names, ascending. */
  block(names: readonly string[]): SeriesBlock;
  /** The handle of a label set; `names` ascending. Over the cap it is a handle of the one series for all others. */
  bind(names: readonly string[], values: readonly string[]): HandleOf<K>;
  /** The handle of a series that is there. */
  handleAt(block: SeriesBlock, row: number): HandleOf<K>;
  /** @throws Error when the label set has a series already. */
  observe(names: readonly string[], values: readonly string[], read: () => number | undefined): Unregister;
  refresh(): void;
  collect(): Family | undefined;
  capture(time: number): CapturedFamily;
}

const keyOf = (texts: readonly string[]): string => JSON.stringify(texts);

export const metricFamily = <K extends InstrumentKind>(shape: FamilyShape<K>, scope: FamilyScope): MetricFamily<K> => {
  const { name, kind, help, unit, boundaries } = shape;
  const head: FamilyHead = { name, kind, help, unit, boundaries };
  const buckets = kind === 'histogram' ? boundaries.length + 1 : 0;
  const handleScope: HandleScope = { ...scope, boundaries: Float64Array.from(boundaries) };
  /** By label names: one of a metric that was registered, any number of one that Lua made. */
  const blocks = new Map<string, SeriesBlock>();
  const observed = new Map<string, ObservedSeries>();
  let bound = 0;
  let overflowHandle: HandleOf<K> | undefined;
  let shown: Family | undefined;

  const blockOf = (names: readonly string[]): SeriesBlock => {
    const key = keyOf(names);
    let block = blocks.get(key);
    if (block === undefined) {
      block = seriesBlock(kind, names, buckets);
      blocks.set(key, block);
    }
    return block;
  };
  const isFull = (): boolean => bound + observed.size >= scope.maxSeries;
  const handleAt = (block: SeriesBlock, row: number): HandleOf<K> => {
    const handle = handleFor[kind](handleScope, block, row);
    if (shape.isExponential !== true) return handle;
    const cells = block.rows.chunkOf(row);
    const at = cellOf(row, block.rows.width) + VERSION;
    const version = (): number => cells[at] as number;
    return alsoExponential(handle as BoundHistogram, version, block.exponentialOf(row)) as HandleOf<K>;
  };
  const make = (block: SeriesBlock, values: readonly string[]): HandleOf<K> => {
    const row = block.add(values, scope.clock.wall());
    bound += 1;
    return handleAt(block, row);
  };

  const otherHandle = (names: readonly string[]): HandleOf<K> => {
    const block = blockOf(names);
    const values = names.map(() => OTHER);
    const row = block.labels.find(values);
    return row === -1 ? make(block, values) : handleAt(block, row);
  };

  return {
    shape,
    block: blockOf,
    handleAt,
    bind(names, values) {
      const known = blocks.get(keyOf(names));
      const row = known?.labels.find(values) ?? -1;
      if (known !== undefined && row !== -1) return handleAt(known, row);
      if (observed.size > 0 && observed.has(keyOf([...names, ...values]))) {
        throw new Error(
          `metric '${name}': series ${describe(names, values)} is read at collection and cannot be bound.`,
        );
      }
      // The series for everything over the cap takes no place of its own, nor does the one without labels.
      const isFree = names.length === 0 || (!shape.isDynamic && values.every((value) => value === OTHER));
      if (isFree || !isFull()) return make(blockOf(names), values);
      // Of a dynamic metric all go to one series: that of the label names which came first over the cap.
      if (overflowHandle === undefined) {
        let other: HandleOf<K> | undefined; // from the first value on: no series before its first use
        const otherOnce = (): HandleOf<K> => {
          other ??= otherHandle(names);
          return other;
        };
        overflowHandle = overflowHandleFor[kind](otherOnce, scope.overflowed);
      }
      return overflowHandle;
    },
    observe(names, values, read) {
      const key = keyOf([...names, ...values]);
      if (observed.has(key) || (blocks.get(keyOf(names))?.labels.find(values) ?? -1) !== -1) {
        throw new Error(`metric '${name}': series ${describe(names, values)} exists already; unregister it first.`);
      }
      if (isFull()) {
        scope.overflowed();
        return () => {};
      }
      const startTime = scope.clock.wall();
      const member = observedSeries({ kind, labelNames: names, labelValues: values, startTime }, read, scope);
      observed.set(key, member);
      return () => {
        if (observed.get(key) === member) observed.delete(key);
      };
    },
    refresh() {
      for (const member of observed.values()) member.refresh();
    },
    collect() {
      const series: Series[] = [];
      for (const block of blocks.values()) {
        for (let row = 0; row < block.labels.size; row += 1) {
          const one = block.seriesAt(row);
          if (one !== undefined) series.push(one);
        }
      }
      for (const member of observed.values()) {
        const one = member.collect();
        if (one !== undefined) series.push(one);
      }
      const last = shown?.series;
      if (last?.length === series.length && series.every((one, i) => one === last[i])) return shown;
      shown = series.length === 0 ? undefined : { ...head, series };
      return shown;
    },
    capture: (time) => ({
      head,
      blocks: Array.from(blocks.values(), (block) => block.capture(time)),
      observed: Array.from(observed.values(), (member) => member.collect()).filter((one) => one !== undefined),
    }),
  };
};

const describe = (names: readonly string[], values: readonly string[]): string =>
  `{${names.map((name, i) => `${name}="${values[i]}"`).join(', ')}}`;
