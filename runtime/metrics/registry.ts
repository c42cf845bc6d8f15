import { type FamilyScope, type FamilyShape, type MetricFamily, metricFamily } from './metric-family.ts';
import { sampleNames } from './names.ts';
import type { CapturedFamily, Family, InstrumentKind } from './snapshot.ts';

/** All families of one collector, by exported name. */
export interface MetricRegistry {
  get(exported: string): MetricFamily | undefined;
  /** Whether a sample of one of the families has this name. */
  owns(name: string): boolean;
  /**
   * Adds a family, or gives the one that is the same.
   * @throws Error naming both when the name is taken by something that differs.
   */
  add<K extends InstrumentKind>(shape: FamilyShape<K>, scope: (name: string) => FamilyScope): MetricFamily<K>;
  collect(): readonly Family[];
  /** `time`: now, in milliseconds since the epoch. */
  capture(time: number): readonly CapturedFamily[];
}

const KIND_NAMES: Readonly<Record<InstrumentKind, string>> = {
  counter: 'counter',
  gauge: 'gauge',
  upDownCounter: 'up-down counter',
  histogram: 'histogram',
};
export const kindName = (kind: InstrumentKind): string => KIND_NAMES[kind];

const describe = (shape: FamilyShape<InstrumentKind>): string => {
  const bounds = shape.kind === 'histogram' ? `, boundaries [${shape.boundaries.join(', ')}]` : '';
  const labels = shape.isDynamic ? 'labels given at the call' : `labels [${shape.labels.join(', ')}]`;
  return `${kindName(shape.kind)} '${shape.rawName}' (unit '${shape.unit}', ${labels}${bounds})`;
};
const isSameShape = (a: FamilyShape<InstrumentKind>, b: FamilyShape<InstrumentKind>): boolean =>
  describe(a) === describe(b) && a.isDynamic === b.isDynamic;

export const metricRegistry = (): MetricRegistry => {
  const families = new Map<string, MetricFamily>();
  /** Which family owns the name of a sample: `x_count` is one of histogram `x`. */
  const owners = new Map<string, FamilyShape<InstrumentKind>>();
  let ordered: readonly MetricFamily[] = [];

  // Reading comes first: what it counts about itself shows in this very collection.
  const refresh = (): void => {
    for (const family of ordered) family.refresh();
  };

  return {
    get: (exported) => families.get(exported),
    owns: (name) => owners.has(name),
    add<K extends InstrumentKind>(shape: FamilyShape<K>, scope: (name: string) => FamilyScope): MetricFamily<K> {
      const same = families.get(shape.name);
      if (same !== undefined && isSameShape(same.shape, shape)) return same as unknown as MetricFamily<K>;
      // Everything is checked before anything changes.
      const names = sampleNames(shape.kind, shape.name);
      for (const name of names) {
        const owner = owners.get(name);
        if (owner === undefined) continue;
        throw new Error(
          `metric name '${name}': ${describe(owner)} is registered already, and ${describe(shape)} differs from it. ` +
            'Give one of them another name.',
        );
      }
      const family = metricFamily(shape, scope(shape.name));
      for (const name of names) owners.set(name, shape);
      families.set(shape.name, family as unknown as MetricFamily);
      ordered = [...families.values()].sort((a, b) => (a.shape.name < b.shape.name ? -1 : 1));
      return family;
    },
    collect() {
      refresh();
      const out: Family[] = [];
      for (const family of ordered) {
        const one = family.collect();
        if (one !== undefined) out.push(one);
      }
      return out;
    },
    capture(time) {
      refresh();
      return ordered.map((family) => family.capture(time));
    },
  };
};
