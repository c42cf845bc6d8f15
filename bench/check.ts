import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Baseline, baselineOf, lastingRegressions } from './gate.ts';
import type { Result } from './row.ts';
import { ROWS } from './rows.ts';
import { measureAll } from './runner.ts';
import { tableLines } from './table.ts';

/**
 * `make bench-check THRESHOLD=10`: ends with 1 when a ratio is more than that many per cent below `bench/baseline.json`;
 * `make bench-baseline` (`--write`) measures a new one.
 */
const { values } = parseArgs({
  options: {
    threshold: { type: 'string', default: '10' },
    filter: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
});
const percent = Number(values.threshold);
if (!(percent >= 0 && percent < 100)) {
  throw new Error(`--threshold ${values.threshold}: a number of per cent from 0 to below 100`);
}
const file = new URL('baseline.json', import.meta.url);
const readBaseline = (): Baseline => JSON.parse(readFileSync(file, 'utf8')) as Baseline;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const measure = (names: ReadonlySet<string>): Promise<readonly Result[]> =>
  measureAll(
    ROWS.filter(({ name }) => names.has(name)),
    (row, results) => print(tableLines(row, results)),
  );

const baseline = values.write && values.filter === '' ? {} : readBaseline();
// A row that the baseline knows and the code has lost is looked for as well.
const gated = ROWS.filter(({ isGated }) => isGated !== false);
const known = [...gated.map(({ name }) => name), ...Object.keys(baseline).map((key) => key.split(' ')[0] as string)];
const names = new Set(known.filter((name) => name.includes(values.filter)));
if (names.size === 0) throw new Error(`no row has '${values.filter}' in its name`);

if (values.write) {
  const written = { ...baseline, ...baselineOf(await measure(names)) };
  writeFileSync(file, `${JSON.stringify(written, undefined, 2)}\n`);
} else {
  const worse = await lastingRegressions({ baseline, percent, names, measure });
  for (const { problem } of worse) print(problem);
  print(worse.length === 0 ? `no ratio is more than ${percent} % below the baseline` : `${worse.length} worse`);
  process.exitCode = worse.length === 0 ? 0 : 1;
}
