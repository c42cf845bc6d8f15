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
import type { MetricFamily } from './metric-family.ts';
import { exportedName, labelNameProblem } from './names.ts';
import { kindName } from './registry.ts';
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

/** A step of the way from a name through its labels, in the order they are passed: no text is joined per call. */
interface Path {
  handle: Handle | undefined;
  /** By label name, then by value. */
  readonly next: Map<string, Map<string, Path>>;
}
interface Named {
  readonly family: MetricFamily;
  readonly root: Path;
  paths: number;
}

const OK: DynamicResult = { ok: true };
/** Labels can be passed in any order; a program that really passes them in many keeps this many ways to a series at most. */
const PATHS_PER_METRIC = 8192;

const newPath = (): Path => ({ handle: undefined, next: new Map() });

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
      const made = { family: scope.register(kind, spec), root: newPath(), paths: 0 };
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

  const handleOf = (metric: Named, name: string, labels: LabelSet): Handle | DynamicResult => {
    let path: Path | undefined = metric.root;
    for (const label in labels) path = path?.next.get(label)?.get(labels[label] as string);
    if (path?.handle !== undefined) return path.handle;
    const wasFull = metric.family.isFull;
    const handle = bind(metric, name, labels);
    // Over the cap nothing is remembered, or the memory of new label sets would have no end.
    if ('ok' in handle || wasFull || metric.paths >= PATHS_PER_METRIC) return handle;
    metric.paths += 1;
    remember(metric.root, labels, handle);
    return handle;
  };

  const emit = <K extends InstrumentKind>(kind: K, write: (handle: HandleOf<K>, value: number) => void) => {
    return (name: string, value: number, labels: LabelSet): DynamicResult => {
      const metric = named(kind, name);
      if ('ok' in metric) return metric;
      const reason = invalidReason(kind, value);
      if (reason !== undefined) return refuse(name, reason, `metric '${name}' cannot take ${value} (${reason})`);
      const handle = handleOf(metric, name, labels);
      if ('ok' in handle) return handle;
      write(handle as HandleOf<K>, value);
      return OK;
    };
  };

  return {
    counterAdd: emit('counter', (handle: BoundCounter, value) => handle.add(value)),
    gaugeSet: emit('gauge', (handle: BoundGauge, value) => handle.set(value)),
    gaugeAdd: emit('upDownCounter', (handle: BoundUpDownCounter, value) => handle.add(value)),
    histogramObserve: emit('histogram', (handle: BoundHistogram, value) => handle.observe(value)),
  };
};

const remember = (root: Path, labels: LabelSet, handle: Handle): void => {
  let path = root;
  for (const label of Object.keys(labels)) {
    const value = labels[label] as string;
    let values = path.next.get(label);
    if (values === undefined) {
      values = new Map();
      path.next.set(label, values);
    }
    let next = values.get(value);
    if (next === undefined) {
      next = newPath();
      values.set(value, next);
    }
    path = next;
  }
  path.handle = handle;
};
