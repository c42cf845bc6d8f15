import { total } from '../harness/prometheus-text.ts';
import { movedGauges } from './gauges.ts';
import type { Stage } from './stage.ts';

const QUEUES = ['jobs', 'dead'];
const PREFIX = 'perilune:';

/** What Redis still holds of the queues. */
const inRedis = async ({ redis: { client } }: Stage): Promise<string[]> => {
  const left: string[] = [];
  for (const queue of QUEUES) {
    const stream = PREFIX + queue;
    const [pending] = (await client.xpending(stream, 'perilune')) as [number];
    const counts = {
      entries: await client.xlen(stream),
      pending,
      delayed: await client.zcard(`{${stream}}:delayed`),
    };
    for (const [what, count] of Object.entries(counts)) if (count !== 0) left.push(`${stream}: ${count} ${what}`);
  }
  return left;
};

/** What PostgreSQL has not had confirmed, and what hangs there. */
const inPostgres = async ({ postgres }: Stage): Promise<string[]> => {
  const left: string[] = [];
  const [slot] = await postgres.run<{ active: boolean; behind: number }>(
    `SELECT active, pg_wal_lsn_diff((SELECT max(commit) FROM chaos_end), confirmed_flush_lsn)::float8 AS behind
     FROM pg_replication_slots WHERE slot_name = 'chaos'`,
  );
  if (slot?.active !== true) left.push('the slot is not read');
  if (slot === undefined || slot.behind > 0) left.push(`the slot is ${slot?.behind} bytes behind the last commit`);
  const open = await postgres.run<{ state: string }>(
    `SELECT state FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
  );
  if (open.length > 0) left.push(`${open.length} transactions are still open in PostgreSQL`);
  return left;
};

const DEGRADED = 'wippy_component_degraded_seconds_total';

/** All that is not as it was before the first message. Asked again until it is empty. */
export const leftovers = async (stage: Stage): Promise<readonly string[]> => {
  const { program } = stage;
  if (program === undefined) return ['the program is away'];
  const before = await program.scrape();
  const left = [...(await inRedis(stage)), ...(await inPostgres(stage))];
  const after = await program.scrape();
  if (total(before, DEGRADED) !== total(after, DEGRADED)) left.push('a component is still degraded');
  return [...left, ...movedGauges(after)];
};

/** Where the log ends once all is committed: what `leftovers` compares the slot with. */
export const markEnd = async ({ postgres }: Stage): Promise<void> => {
  await postgres.run(
    'CREATE TABLE IF NOT EXISTS chaos_end (commit pg_lsn); INSERT INTO chaos_end VALUES (pg_current_wal_lsn())',
  );
};
