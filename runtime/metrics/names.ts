import type { InstrumentSpec } from './instruments.ts';
import type { InstrumentKind } from './snapshot.ts';

// `__` is reserved for Prometheus itself (Prometheus data model, "Metric names and labels").
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** The name that every sink shows: what Prometheus does not know becomes `_`. Colons belong to recording rules. */
export const exportedName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/gu, '_').replace(/^(?=[0-9])/, '_');

/** Why a label name cannot be used on this kind; undefined when it can. */
export const labelNameProblem = (kind: InstrumentKind, name: string): string | undefined => {
  if (!LABEL_NAME.test(name)) {
    return `label name '${name}' is not usable: it needs letters, digits and '_', not a digit or '__' first`;
  }
  if (kind === 'histogram' && name === 'le') return `label name 'le' is taken by the buckets of a histogram`;
  return undefined;
};

/** Every name that samples of this metric can have, in one text format or another. */
export const sampleNames = (kind: InstrumentKind, exported: string): readonly string[] => {
  if (kind === 'histogram') return [exported, ...['_bucket', '_sum', '_count', '_created'].map((s) => exported + s)];
  if (kind === 'counter' && exported.endsWith('_total')) {
    return [exported, `${exported.slice(0, -'_total'.length)}_created`];
  }
  return [exported];
};

/**
 * What a specification must hold before anything is registered.
 * @throws Error naming the metric and what is wrong with it.
 */
export const checkSpec = (
  kind: InstrumentKind,
  spec: InstrumentSpec<string>,
  boundaries: readonly number[] | undefined,
): void => {
  const fail = (what: string): never => {
    throw new Error(`metric '${spec.name}': ${what}.`);
  };
  if (spec.name === '') fail('a name is required');
  if (spec.help.trim() === '') fail('help is required: say what is counted');
  if (spec.unit.trim() === '') fail("a unit is required: UCUM, e.g. 's', 'By', '1' or '{call}'");
  const seen = new Map<string, string>();
  for (const label of spec.labels) {
    const other = seen.get(exportedName(label));
    if (other !== undefined) {
      fail(`label names '${other}' and '${label}' are both exported as '${exportedName(label)}'`);
    }
    seen.set(exportedName(label), label);
  }
  for (const label of spec.labels) {
    const problem = labelNameProblem(kind, label);
    if (problem !== undefined) fail(problem);
  }
  if (boundaries === undefined) return;
  const ascends = boundaries.every(
    (bound, i) => Number.isFinite(bound) && (i === 0 || bound > (boundaries[i - 1] ?? 0)),
  );
  if (boundaries.length === 0 || !ascends) fail('boundaries must be finite, ascending, and at least one');
};
