import type { Result } from './row.ts';

/** Ratios by `row peer`, as `bench/baseline.json` keeps them. */
export type Baseline = Readonly<Record<string, number>>;

const keyOf = ({ name, peer }: Pick<Result, 'name' | 'peer'>): string => `${name} ${peer}`;

export const baselineOf = (results: readonly Result[]): Baseline =>
  Object.fromEntries(results.map((result) => [keyOf(result), Number(result.ratio.toPrecision(4))]));

export interface Regression {
  readonly name: string;
  readonly problem: string;
}

/**
 * What has become worse than the baseline by more than `percent`, a row that the baseline knows and nobody measured
 * included; `isExpected` says which names were to be measured. What the baseline does not know passes: it is new.
 */
export const regressions = (
  baseline: Baseline,
  results: readonly Result[],
  percent: number,
  isExpected: (name: string) => boolean = () => true,
): readonly Regression[] => {
  const found: Regression[] = [];
  const measured = new Map(results.map((result) => [keyOf(result), result]));
  for (const [key, before] of Object.entries(baseline)) {
    const name = key.split(' ')[0] as string;
    if (!isExpected(name)) continue;
    const now = measured.get(key)?.ratio;
    if (now === undefined) found.push({ name, problem: `${key}: was not measured; its baseline is ${before}` });
    else if (!(now >= before * (1 - percent / 100))) {
      const drop = Math.round((1 - now / before) * 100);
      found.push({ name, problem: `${key}: ratio ${now.toPrecision(3)}, baseline ${before}: ${drop} % worse` });
    }
  }
  return found;
};

export interface GateOptions {
  readonly baseline: Baseline;
  /** A ratio may fall by this many per cent. */
  readonly percent: number;
  /** The names of the rows to measure. */
  readonly names: ReadonlySet<string>;
  readonly measure: (names: ReadonlySet<string>) => Promise<readonly Result[]>;
}

const ATTEMPTS = 3;

/**
 * What is worse than the baseline each time: a row that falls short is measured again, on its own, twice at most. A real
 * slowdown is there every time, a busy machine is not.
 */
export const lastingRegressions = async (options: GateOptions): Promise<readonly Regression[]> => {
  let { names } = options;
  let worse: readonly Regression[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const measured = names;
    const results = await options.measure(measured);
    worse = regressions(options.baseline, results, options.percent, (name) => measured.has(name));
    if (worse.length === 0) break;
    names = new Set(worse.map(({ name }) => name));
  }
  return worse;
};
