import type { Checks } from '../e2e/checks.ts';
import { faultTable, summaryOf } from './report.ts';
import type { ChaosResult } from './run.ts';

const SHOWN = 20;

/** Prints the table, and checks what a run has to hold. */
export const checkChaos = (checks: Pick<Checks, 'say' | 'equal' | 'ok'>, result: ChaosResult): void => {
  const { judgement, joined, evidence } = result;
  checks.say(`\n${faultTable(result)}\n\n${summaryOf(result)}\n`);
  checks.ok(evidence.faults.length > 0, `${evidence.faults.length} faults have happened`);
  checks.equal(
    judgement.losses.slice(0, SHOWN).map(({ what }) => what),
    [],
    'every acknowledged message and every committed row was handled',
  );
  checks.equal(
    judgement.excess
      .slice(0, SHOWN)
      .map(
        ({ what, earlier, later }) =>
          `${what} ${earlier.n} (${earlier.key}, ${later.key}) of life ${earlier.life} again in life ${later.life}, after ${(later.at - earlier.at).toFixed(0)} ms, at ${((earlier.at - result.startedAt) / 1000).toFixed(1)} s`,
      ),
    [],
    'whatever was handled twice was in hand when the program was killed',
  );
  checks.equal(joined.broken.slice(0, SHOWN), [], 'every trace is joined');
  checks.equal(result.leftovers, [], 'nothing is under way any more: every gauge is back at 0');
};
