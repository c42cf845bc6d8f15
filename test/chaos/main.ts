/**
 * `make chaos`: 10,000 messages and 10,000 rows while the program, Redis and PostgreSQL are killed, paused and cut off.
 * CHAOS_SEED, CHAOS_MESSAGES and CHAOS_ROWS change what they say. Exit code 3: a server is not to be had on this machine.
 */
import { runChecks } from '../e2e/checks.ts';
import { checkChaos } from './checks.ts';
import { runChaos } from './run.ts';

const { CHAOS_SEED = '6', CHAOS_MESSAGES = '10000', CHAOS_ROWS = '10000' } = process.env;

await runChecks(async (checks) => {
  const [seed, messages, rows] = [CHAOS_SEED, CHAOS_MESSAGES, CHAOS_ROWS].map(Number) as [number, number, number];
  checks.say(`seed ${seed}: ${messages} messages and ${rows} rows`);
  const result = await runChaos(checks.scope, {
    seed,
    messages,
    rows,
    faults: {
      'kill program': 8,
      'kill redis': 6,
      'kill postgres': 6,
      'kill postgres backend': 2,
      'kill redis and program': 2,
      'kill postgres and program': 2,
      'pause program': 2,
      'pause redis': 2,
      'pause postgres': 2,
      'cut redis': 1,
      'cut postgres': 1,
    },
    tell: checks.say,
  });
  checkChaos(checks, result);
});
