import { startChild } from './processes/child.ts';
import { type Readings, type Result, type Row, resultsOf } from './row.ts';

/** The slowest row takes a fifth of it on an idle machine; one that hangs must not hold the others up. */
const LONGEST_ROW_MS = 240_000;

/** Measures a row in a process of its own. @throws Error when the row does, or when it comes to no end. */
export const measureApart = async (row: Row): Promise<readonly Result[]> => {
  const child = await startChild('row', [row.name]);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no end after ${LONGEST_ROW_MS} ms`)), LONGEST_ROW_MS);
  try {
    return resultsOf(row, await Promise.race([child.ask<Readings>('measure'), late.promise]));
  } finally {
    clearTimeout(timer);
    await child.stop();
  }
};

/**
 * One row after the other, as nothing else may run beside one. A row that fails does not end the others.
 * @throws Error naming the rows that failed, after all have had their turn.
 */
export const measureAll = async (
  rows: readonly Row[],
  onResults: (row: Row, results: readonly Result[]) => void,
): Promise<readonly Result[]> => {
  const all: Result[] = [];
  const failures: string[] = [];
  for (const row of rows) {
    try {
      const results = await measureApart(row);
      all.push(...results);
      onResults(row, results);
    } catch (error) {
      failures.push(`${row.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (failures.length > 0) throw new Error(`not measured:\n${failures.join('\n')}`);
  return all;
};
