import { rootContext } from '../../runtime/context.ts';
import { internal, messageOf } from '../../runtime/errors.ts';
import type { Database, SqlText } from '../sql/port.ts';
import { AHEAD_MS, type Claim, LEASE_MS, type TickLock } from './lock.ts';

const TABLE = 'perilune_schedule_locks';
const COLUMNS =
  'schedule text PRIMARY KEY, tick bigint NOT NULL, holder text NOT NULL, held_until bigint NOT NULL, queued boolean NOT NULL, claim text NOT NULL';
/** Milliseconds since the epoch, also within a statement that has waited for the row. */
const NOW = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

const IS_FREE = `($4::text = 'allow' OR l.holder = excluded.holder OR l.held_until NOT BETWEEN ${NOW} AND ${NOW} + ${LEASE_MS})`;
/** $1 schedule, $2 tick, $3 holder, $4 overlap. No row is written, and none returned, where the tick is taken. */
const CLAIM = `
  WITH claimed AS (
    INSERT INTO ${TABLE} AS l (schedule, tick, holder, held_until, queued, claim)
    SELECT $1::text, $2::bigint, $3::text, ${NOW} + ${LEASE_MS}, false, 'run' WHERE $2::bigint <= ${NOW} + ${AHEAD_MS}
    ON CONFLICT (schedule) DO UPDATE SET
      tick = excluded.tick,
      claim = CASE WHEN ${IS_FREE} THEN 'run' WHEN $4::text = 'queue' AND NOT l.queued THEN 'queued' ELSE 'busy' END,
      holder = CASE WHEN ${IS_FREE} THEN excluded.holder ELSE l.holder END,
      held_until = CASE WHEN ${IS_FREE} THEN excluded.held_until ELSE l.held_until END,
      queued = l.queued OR (NOT ${IS_FREE} AND $4::text = 'queue')
    WHERE l.tick < excluded.tick OR l.tick > ${NOW} + ${AHEAD_MS}
      OR (l.tick = excluded.tick AND l.holder = excluded.holder)
    RETURNING claim)
  SELECT coalesce((SELECT claim FROM claimed),
    CASE WHEN $2::bigint > ${NOW} + ${AHEAD_MS} THEN 'early' ELSE 'taken' END) AS claim, ${NOW} AS now`;
/** What has been released stays so, also where this comes late, on another connection. */
const RENEW = `
  UPDATE ${TABLE} SET held_until = ${NOW} + ${LEASE_MS}
  WHERE schedule = $1::text AND holder = $2::text AND held_until > 0 RETURNING 1`;
/** `held_until` afterwards tells whether it goes on. */
const RELEASE = `
  UPDATE ${TABLE} SET held_until = CASE WHEN $3::boolean AND queued THEN ${NOW} + ${LEASE_MS} ELSE 0 END,
    queued = queued AND NOT $3::boolean
  WHERE schedule = $1::text AND holder = $2::text RETURNING held_until > 0 AS again`;

/** One row of a table that all schedules of the app share; it is made where it is missing. */
export const sqlTickLock = (database: Database, id: string): TickLock => {
  const query = async (text: string, params: SqlText['params'], signal: AbortSignal) =>
    (await database.query({ text, params, isPrepared: true }, { context: rootContext, signal })).rows;
  const isThere = async (signal: AbortSignal): Promise<boolean> =>
    (await query('SELECT to_regclass($1::text) IS NOT NULL', [TABLE], signal))[0]?.[0] === true;

  return {
    async prepare(signal) {
      if (!(await isThere(signal))) {
        try {
          await query(`CREATE TABLE IF NOT EXISTS ${TABLE} (${COLUMNS})`, [], signal);
        } catch (error) {
          // Two machines that make it at the same moment: one of them fails, and the table is there.
          if (!(await isThere(signal))) {
            throw internal(
              `${id}: the table of locks cannot be made in ${database.id}: ${messageOf(error)}. Make it: CREATE TABLE ${TABLE} (${COLUMNS})`,
              { cause: error },
            );
          }
        }
      }
      return Number((await query(`SELECT ${NOW}`, [], signal))[0]?.[0]);
    },
    async claim(tick, holder, overlap, signal) {
      const [row] = await query(CLAIM, [id, BigInt(tick), holder, overlap], signal);
      return { claim: row?.[0] as Claim, now: Number(row?.[1]) };
    },
    renew: async (holder, signal) => (await query(RENEW, [id, holder], signal)).length > 0,
    release: async (holder, mayGoOn, signal) => (await query(RELEASE, [id, holder, mayGoOn], signal))[0]?.[0] === true,
  };
};
