import { messageOf } from '../errors.ts';
import type {
  BoundCounter,
  BoundGauge,
  BoundHistogram,
  BoundUpDownCounter,
  Collector,
  DynamicResult,
} from './collector.ts';
import { type HandleOf, type InvalidReason, invalidReason } from './handles.ts';
import { DURATION_SECONDS, type InstrumentSpec } from './instruments.ts';
import { type LabelWay, labelWay } from './label-way.ts';
import type { MetricFamily } from './metric-family.ts';
import { exportedName, labelNameProblem } from './names.ts';
import { kindName } from './registry.ts';
import type { SeriesBlock } from './series-block.ts';
import type { InstrumentKind } from './snapshot.ts';

interface DynamicScope {
  find(exported: string): MetricFamily | undefined;
  register(
    kind: InstrumentKind,
    spec: InstrumentSpec<string> & { readonly boundaries: readonly number[] },
  ): MetricFamily;
  /** Counts what could not be used. */
  invalid(metric: string, reason: InvalidReason): void;
}

type LabelSet = Readonly<Record<string, string>>;
type Handle = HandleOf<InstrumentKind>;

/** One order in which a program passes label names: the series they lead to, without joining a text per call. */
interface Way {
  readonly labels: LabelWay;
  readonly block: SeriesBlock;
  /** By row. */
  readonly handles: (Handle | undefined)[];
  /** Makes the one of a row. */
  readonly handleAt: (row: number) => Handle;
}
interface Named {
  readonly name: string;
  readonly family: MetricFamily;
  readonly ways: Way[];
  /** That of the last call. */
  last: Way | undefined;
}

const OK: DynamicResult = { ok: true };
/** A program that passes its labels in ever new orders, or ever new names, takes the slow way beyond this many. */
const WAYS_PER_METRIC = 256;

/** Metrics of a program that passes names and labels at the call; the first use of a name fixes its kind. */
export const dynamicMetrics = (scope: DynamicScope): Collector['dynamic'] => {
  const known = new Map<string, Named>();

  const refuse = (name: string, reason: InvalidReason, problem: string): DynamicResult => {
    scope.invalid(exportedName(name), reason);
    return { ok: false, problem };
  };

  const named = (kind: InstrumentKind, name: string): Named | DynamicResult => {
    const found = known.get(name);
    if (found !== undefined) {
      if (found.family.shape.kind === kind) return found;
      const [is, wanted] = [kindName(found.family.shape.kind), kindName(kind)];
      return refuse(
        name,
        'kind_conflict',
        `metric '${name}' is a ${is} and cannot be used as ${wanted}: use another name`,
      );
    }
    if (name === '') return refuse(name, 'name', 'a metric needs a name');
    const taken = scope.find(exportedName(name));
    if (taken !== undefined) {
      const owner = taken.shape.isDynamic ? `metric '${taken.shape.rawName}'` : 'the runtime';
      return refuse(name, 'name', `metric name '${name}' is taken by ${owner}: use another name`);
    }
    try {
      const help = `Made by Lua: ${kindName(kind)} ${name}.`;
      const spec = { name, namespaced: false, help, unit: '1', labels: [], boundaries: DURATION_SECONDS };
      const made: Named = { name, family: scope.register(kind, spec), ways: [], last: undefined };
      known.set(name, made);
      return made;
    } catch (error) {
      return refuse(name, 'name', messageOf(error));
    }
  };

  /** The handle of a label set that was not passed in this order before. */
  const bind = (metric: Named, name: string, labels: LabelSet): Handle | DynamicResult => {
    const { family } = metric;
    // A label without a value is no label (Prometheus data model): two series must not differ by it.
    const names = Object.keys(labels)
      .filter((label) => labels[label] !== '')
      .sort();
    for (const label of names) {
      const problem = labelNameProblem(family.shape.kind, label);
      if (problem !== undefined) return refuse(name, 'labels', `metric '${name}': ${problem}`);
    }
    return family.bind(
      names,
      names.map((label) => (labels[label] ?? '').toWellFormed()),
    );
  };

  const wayOf = (metric: Named, labels: LabelSet): Way | undefined => {
    const names = Object.keys(labels);
    const known = metric.ways.find(
      ({ labels: { names: known } }) => known.length === names.length && known.every((name, i) => name === names[i]),
    );
    if (known !== undefined) return known;
    const { family, ways } = metric;
    const isUsable = names.every((label) => labelNameProblem(family.shape.kind, label) === undefined);
    if (!isUsable || ways.length >= WAYS_PER_METRIC) return undefined;
    const sorted = [...names].sort();
    const block = family.block(sorted);
    const handles = ways.find((way) => way.block === block)?.handles ?? [];
    const handleAt = (row: number): Handle => {
      const handle = family.handleAt(block, row);
      handles[row] = handle;
      return handle;
    };
    const columns = names.map((label) => sorted.indexOf(label));
    const way = { labels: labelWay(block.labels, names, columns), block, handles, handleAt };
    ways.push(way);
    return way;
  };

  /** The handle where the last way does not lead to a series. */
  const otherHandleOf = (metric: Named, name: string, labels: LabelSet): Handle | DynamicResult => {
    // Most calls come the same way as the one before, so it is tried first the next time.
    metric.last = wayOf(metric, labels) ?? metric.last;
    return knownHandle(metric.last, labels) ?? bind(metric, name, labels);
  };

  /** The series that a value goes to; the problem where it cannot. */
  const target = (last: Last, kind: InstrumentKind, name: string, value: number, labels: LabelSet) => {
    let { metric } = last;
    if (metric?.name !== name) {
      const made = named(kind, name);
      if ('ok' in made) return made;
      metric = made;
      last.metric = made;
    }
    // One comparison for the many values that every kind takes.
    if (!(value >= 0 && value <= Number.MAX_VALUE)) {
      const reason = invalidReason(kind, value);
      if (reason !== undefined) return refuse(name, reason, `metric '${name}' cannot take ${value} (${reason})`);
    }
    return knownHandle(metric.last, labels) ?? otherHandleOf(metric, name, labels);
  };

  // Each has a memory and a body of its own: shared ones would slow all of them down in a program that uses several kinds.
  const [counters, gauges, upDownCounters, histograms] = [lastUsed(), lastUsed(), lastUsed(), lastUsed()];
  return {
    counterAdd(name, value, labels, exemplar) {
      const to = target(counters, 'counter', name, value, labels);
      if ('ok' in to) return to;
      (to as BoundCounter).add(value, exemplar);
      return OK;
    },
    gaugeSet(name, value, labels) {
      const to = target(gauges, 'gauge', name, value, labels);
      if ('ok' in to) return to;
      (to as BoundGauge).set(value);
      return OK;
    },
    gaugeAdd(name, value, labels) {
      const to = target(upDownCounters, 'upDownCounter', name, value, labels);
      if ('ok' in to) return to;
      (to as BoundUpDownCounter).add(value);
      return OK;
    },
    histogramObserve(name, value, labels, exemplar) {
      const to = target(histograms, 'histogram', name, value, labels);
      if ('ok' in to) return to;
      (to as BoundHistogram).observe(value, exemplar);
      return OK;
    },
  };
};

/** The metric of a kind's last call: comparing its name costs less than a look-up, and most programs have few metrics. */
interface Last {
  metric: Named | undefined;
}
const lastUsed = (): Last => ({ metric: undefined });

const knownHandle = (way: Way | undefined, labels: LabelSet): Handle | undefined => {
  if (way === undefined) return undefined;
  const row = way.labels.find(labels);
  if (row === -1) return undefined;
  return way.handles[row] ?? way.handleAt(row);
};
