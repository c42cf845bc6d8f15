import type { Socket } from 'node:net';
import type { ClientConfig } from 'pg';
import type { Clock } from '../../../runtime/clock.ts';
import { waitAtMost } from '../../../runtime/deadline.ts';
import { connectPostgres } from '../../../runtime/postgres/connect.ts';
import { databaseIdentity } from '../../../runtime/postgres/identity.ts';
import type { PostgresAddress } from '../../../runtime/postgres/options.ts';
import { type Lsn, lsnText, parseLsn } from '../pgoutput/lsn.ts';
import { answered, LateAnswer } from './answer.ts';

/** Where the progress of all sources of a database is kept (lua/cdc.md, section 5). */
export const OFFSETS_TABLE = 'wippy_cdc_offsets';

/** A server, or a network, that is silent does not take part in the end of a connection. */
const CLOSE_MS = 1000;

export const CAPTURE_SETTINGS = {
  // So that the text of a value is the same in the log and in a snapshot, whatever the server's settings.
  datestyle: 'ISO',
  intervalstyle: 'postgres',
  extra_float_digits: 1,
  // A machine that is gone without a word must not keep others from reading in its place.
  tcp_keepalives_idle: 10,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 4,
};

/** A table of a publication. */
export interface PublishedTable {
  readonly schema: string;
  readonly name: string;
  /** Those that are captured, in their order. */
  readonly columns: readonly string[];
  readonly primaryKey: readonly string[];
  /** Of the publication, as SQL. */
  readonly rowFilter: string | undefined;
}

export interface SlotState {
  /** The server's process that reads it; undefined while none does. */
  readonly activeProcessId: number | undefined;
  readonly plugin: string;
  readonly database: string;
  readonly confirmed: Lsn;
  /** `lost`: the server has thrown away what the slot needs. */
  readonly walStatus: string;
}

/** The ordinary connection of a source: its slot, its publication, its progress. Every function rejects with the server's Error. */
export interface SourceDatabase {
  /** The form of the connection that the server takes. */
  readonly config: ClientConfig;
  readonly ended: Promise<never>;
  /** `15.18`, and the number of its major version. */
  version(): Promise<{ readonly text: string; readonly major: number }>;
  walLevel(): Promise<string>;
  /** Which database it is (`databaseIdentity`). */
  identity(address: PostgresAddress): Promise<string>;
  /** An advisory lock of the database, held until the connection ends. */
  tryLock(key: bigint): Promise<boolean>;
  /** The server's process that holds it; undefined: none does. */
  lockHolder(key: bigint): Promise<number | undefined>;
  /** The server's process of this connection. */
  readonly processId: number | undefined;
  slot(name: string): Promise<SlotState | undefined>;
  dropSlot(name: string): Promise<void>;
  /** Ends one of the server's processes of the same role. */
  terminate(processId: number): Promise<void>;
  /** Undefined: there is no such publication. */
  publishedTables(publication: string): Promise<readonly PublishedTable[] | undefined>;
  createPublication(name: string, tables: readonly string[]): Promise<void>;
  setPublicationTables(name: string, tables: readonly string[]): Promise<void>;
  prepareOffsets(): Promise<void>;
  offset(slot: string): Promise<Lsn | undefined>;
  /** It never moves back: what another program has handled stays handled. */
  saveOffset(slot: string, lsn: Lsn): Promise<void>;
  forgetOffset(slot: string): Promise<void>;
  /** Bytes of log that the server keeps for the slot; undefined without the slot. */
  retained(slot: string): Promise<number | undefined>;
  close(): Promise<void>;
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** `schema.table` or `table`, which the server looks for in its search path. */
const quotedTable = (name: string): string => {
  const dot = name.indexOf('.');
  return dot < 0 ? quoted(name) : `${quoted(name.slice(0, dot))}.${quoted(name.slice(dot + 1))}`;
};

const PUBLISHED = `
  SELECT p.schemaname AS schema, p.tablename AS name, to_jsonb(p)->>'rowfilter' AS filter,
    ARRAY(SELECT a.attname::text FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        AND (to_jsonb(p)->'attnames' IS NULL OR to_jsonb(p)->'attnames' @> to_jsonb(a.attname::text))
      ORDER BY a.attnum) AS columns,
    ARRAY(SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
      WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY a.attnum) AS key
  FROM pg_publication_tables p
  JOIN pg_namespace n ON n.nspname = p.schemaname
  JOIN pg_class c ON c.relname = p.tablename AND c.relnamespace = n.oid
  WHERE p.pubname = $1 ORDER BY 1, 2`;

const RETAINED = `
  SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
    restart_lsn)::float8 AS bytes
  FROM pg_replication_slots WHERE slot_name = $1`;

const LOCK_HOLDER = `
  SELECT pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE locktype = 'advisory' AND granted AND datname = current_database() AND objsubid = 1
    AND ((classid::bigint << 32) | objid::bigint) = $1::bigint`;

/** @throws Error when there is no connection. */
export const connectDatabase = async (forms: readonly ClientConfig[], clock: Clock): Promise<SourceDatabase> => {
  const { client, config } = await connectPostgres(forms);
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {}); // whoever waits for it is told
  client.on('error', (error) => ended.reject(error));
  client.on('end', () => ended.reject(new Error('the connection has ended')));
  let late: LateAnswer | undefined;
  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    if (late !== undefined) throw late;
    try {
      return await answered(clock, work());
    } catch (error) {
      if (error instanceof LateAnswer) {
        late = error;
        ended.reject(error);
      }
      throw error;
    }
  };
  let before: Promise<unknown> = Promise.resolve();
  /** One after the other: the driver wants it so, and nobody's time to answer is spent behind others. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = before.then(() => ask(work));
    before = mine.catch(() => {}); // who asked is told; the next one has its turn all the same
    return mine;
  };
  const rows = async <Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    (await inTurn(() => client.query(text, [...values]))).rows as Row[];

  return {
    config,
    ended: ended.promise,
    processId: (client as unknown as { processID: number | null }).processID ?? undefined,
    async version() {
      const [row] = await rows<{ server_version: string }>('SHOW server_version');
      const text = row?.server_version.split(' ')[0] ?? '';
      return { text, major: Number.parseInt(text, 10) };
    },
    async walLevel() {
      const [row] = await rows<{ wal_level: string }>('SHOW wal_level');
      return row?.wal_level ?? '';
    },
    identity: (address) => inTurn(() => databaseIdentity(client, address)),
    async tryLock(key) {
      const [row] = await rows<{ mine: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS mine', [String(key)]);
      return row?.mine === true;
    },
    async lockHolder(key) {
      const [row] = await rows<{ pid: number }>(LOCK_HOLDER, [String(key)]);
      return row?.pid;
    },
    async slot(name) {
      const [row] = await rows<{
        active: number | null;
        plugin: string;
        database: string;
        confirmed: string;
        status: string;
      }>(
        `SELECT active_pid AS active, plugin, database, coalesce(confirmed_flush_lsn, '0/0')::text AS confirmed,
           coalesce(to_jsonb(s)->>'wal_status', '') AS status FROM pg_replication_slots s WHERE slot_name = $1`,
        [name],
      );
      if (row === undefined) return undefined;
      const { active, plugin, database, confirmed, status } = row;
      return {
        activeProcessId: active ?? undefined,
        plugin,
        database,
        confirmed: parseLsn(confirmed),
        walStatus: status,
      };
    },
    async terminate(processId) {
      await rows('SELECT pg_terminate_backend($1)', [processId]);
    },
    async dropSlot(name) {
      await rows('SELECT pg_drop_replication_slot($1)', [name]);
    },
    async publishedTables(publication) {
      const known = await rows('SELECT 1 FROM pg_publication WHERE pubname = $1', [publication]);
      if (known.length === 0) return undefined;
      const found = await rows<{
        schema: string;
        name: string;
        filter: string | null;
        columns: string[];
        key: string[];
      }>(PUBLISHED, [publication]);
      return found
        .filter(({ name }) => name !== OFFSETS_TABLE)
        .map(({ schema, name, filter, columns, key }) => ({
          schema,
          name,
          columns,
          primaryKey: key,
          rowFilter: filter ?? undefined,
        }));
    },
    async createPublication(name, tables) {
      await rows(`CREATE PUBLICATION ${quoted(name)} FOR TABLE ${tables.map(quotedTable).join(', ')}`);
    },
    async setPublicationTables(name, tables) {
      await rows(`ALTER PUBLICATION ${quoted(name)} SET TABLE ${tables.map(quotedTable).join(', ')}`);
    },
    async prepareOffsets() {
      const isThere = async (): Promise<boolean> => {
        const known = await rows<{ found: string | null }>('SELECT to_regclass($1)::text AS found', [OFFSETS_TABLE]);
        return known[0]?.found != null;
      };
      if (await isThere()) return; // so that a role that may not create tables can use one that is there
      try {
        await rows(
          `CREATE TABLE IF NOT EXISTS ${OFFSETS_TABLE}
             (slot text PRIMARY KEY, lsn pg_lsn NOT NULL, updated_at timestamptz NOT NULL DEFAULT now())`,
        );
      } catch (error) {
        // Two sources that make it at the same moment: one of them fails, and the table is there.
        if (!(await isThere())) throw error;
      }
    },
    async offset(slot) {
      const [row] = await rows<{ lsn: string }>(`SELECT lsn::text AS lsn FROM ${OFFSETS_TABLE} WHERE slot = $1`, [
        slot,
      ]);
      return row === undefined ? undefined : parseLsn(row.lsn);
    },
    async saveOffset(slot, lsn) {
      await rows(
        `INSERT INTO ${OFFSETS_TABLE} (slot, lsn, updated_at) VALUES ($1, $2, now())
         ON CONFLICT (slot) DO UPDATE
           SET lsn = greatest(${OFFSETS_TABLE}.lsn, excluded.lsn), updated_at = excluded.updated_at`,
        [slot, lsnText(lsn)],
      );
    },
    async forgetOffset(slot) {
      await rows(`DELETE FROM ${OFFSETS_TABLE} WHERE slot = $1`, [slot]);
    },
    async retained(slot) {
      const [row] = await rows<{ bytes: number | null }>(RETAINED, [slot]);
      return row?.bytes ?? undefined;
    },
    async close() {
      const { inTime } = await waitAtMost(clock, CLOSE_MS, client.end());
      if (!inTime) (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
    },
  };
};
