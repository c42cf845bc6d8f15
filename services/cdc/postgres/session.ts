import type { ClientConfig } from 'pg';
import type { Clock } from '../../../runtime/clock.ts';
import type { PostgresAddress } from '../../../runtime/postgres/options.ts';
import { changeFilter } from '../filter.ts';
import type { PostgresConfig } from '../kinds.ts';
import { type Lsn, parseLsn } from '../pgoutput/lsn.ts';
import { answered } from './answer.ts';
import { connectDatabase, type PublishedTable, type SourceDatabase } from './database.ts';
import { connectReplication, type Replication } from './replication.ts';
import { takeTurn } from './turn.ts';

/** Both connections of a source, its publication and slot made ready. */
export interface Session {
  readonly database: SourceDatabase;
  readonly replication: Replication;
  readonly publication: string;
  /** The published ones that the entry wants. */
  readonly tables: readonly PublishedTable[];
  readonly major: number;
  /** Identifies the server's data: another one has another log. */
  readonly systemId: string;
  /** Where to go on. */
  readonly position: Lsn;
  /** The slot was made now: nothing before `position` is to be had from it. */
  readonly created: { readonly snapshotName: string } | undefined;
  close(): Promise<void>;
}

export interface SessionRequest {
  readonly address: PostgresAddress;
  /** Of the connection, the preferred one first. */
  readonly forms: readonly ClientConfig[];
  readonly config: PostgresConfig;
  readonly clock: Clock;
  /** Ends the wait for our turn. */
  readonly signal: AbortSignal;
  /** Which database it is (`databaseIdentity`), known before our turn comes. */
  readonly reached: (identity: string) => void;
  /** Another program reads the slot: we wait for our turn. */
  readonly standBy: () => void;
  /** The snapshot of this slot has been handed on, though its end may not be written down yet. */
  readonly hasSnapshot: boolean;
  /** The server's processes of our connections until now, whose end it may not know of because the network has swallowed it. */
  readonly processes: Set<number>;
}

/** The name of the publication of an entry. */
export const publicationOf = ({ publication, slot_name }: PostgresConfig): string => publication ?? `${slot_name}_pub`;

/** Waits while another program reads the slot. @throws Error that says what the server lacks; nothing stays open then. */
export const openSession = async (request: SessionRequest): Promise<Session> => {
  const { address, forms, config, clock, signal, processes } = request;
  const database = await connectDatabase(forms, clock);
  const former = new Set(processes);
  if (database.processId !== undefined) processes.add(database.processId);
  let replication: Replication | undefined;
  const close = async (): Promise<void> => {
    await Promise.allSettled([replication?.close(), database.close()]);
  };
  try {
    const version = await database.version();
    if (config.failover && version.major < 17) {
      throw new Error(`failover slots need PostgreSQL 17, this server is ${version.text}`);
    }
    const walLevel = await database.walLevel();
    if (walLevel !== 'logical') {
      throw new Error(`wal_level is ${walLevel}. Set wal_level = logical in postgresql.conf and restart the server.`);
    }
    request.reached(await database.identity(address));
    await takeTurn(database, {
      slot: config.slot_name,
      clock,
      standBy: request.standBy,
      signal,
      former,
    });
    const tables = await preparePublication(database, config);
    await database.prepareOffsets();
    replication = await connectReplication(database.config, clock);
    if (replication.processId !== undefined) processes.add(replication.processId);
    const [system] = await answered(clock, replication.command('IDENTIFY_SYSTEM'));
    const slot = await prepareSlot(database, replication, request);
    return {
      database,
      replication,
      publication: publicationOf(config),
      tables,
      major: version.major,
      systemId: `${system?.systemid}/${system?.timeline}`,
      ...slot,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

/** A missing publication is made for `tables`; one of our own follows them; another one stays as it is. */
const preparePublication = async (
  database: SourceDatabase,
  config: PostgresConfig,
): Promise<readonly PublishedTable[]> => {
  const name = publicationOf(config);
  const { tables } = config;
  let found = await database.publishedTables(name);
  if (found === undefined) {
    if (tables === undefined) {
      throw new Error(`publication "${name}" does not exist. Create it, or list tables and it is made for them.`);
    }
    await database.createPublication(name, tables);
  } else if (config.publication === undefined && tables !== undefined && !isSame(found, tables)) {
    await database.setPublicationTables(name, tables);
  }
  found = (await database.publishedTables(name)) ?? [];
  return found.filter(wantedTables(config));
};

/** Whether an entry wants a table. */
export const wantedTables = ({ tables }: PostgresConfig): ((table: { schema: string; name: string }) => boolean) => {
  const wants = changeFilter(tables === undefined ? {} : { tables });
  const probe = { source: '', source_id: '', op: 'insert', lsn: '' } as const;
  return ({ schema, name }) => wants({ ...probe, schema, table: name, relation: `${schema}.${name}` });
};

const isSame = (found: readonly PublishedTable[], tables: readonly string[]): boolean => {
  if (found.length !== tables.length) return false;
  const names = new Set(found.flatMap(({ schema, name }) => [name, `${schema}.${name}`]));
  return tables.every((table) => names.has(table));
};

/** Where to go on: the kept position where it is further than the slot's, which the server writes down only now and then. */
const prepareSlot = async (
  database: SourceDatabase,
  replication: Replication,
  { config, address, hasSnapshot, processes }: SessionRequest,
): Promise<Pick<Session, 'position' | 'created'>> => {
  const { slot_name: name } = config;
  const slot = config.temporary ? undefined : await database.slot(name);
  if (slot !== undefined) {
    // Ourselves, on a connection that is no more: the server would wait for its own timeout, a minute.
    if (slot.activeProcessId !== undefined && processes.has(slot.activeProcessId)) {
      await database.terminate(slot.activeProcessId);
    }
    if (slot.plugin !== 'pgoutput' || slot.database !== address.database) {
      throw new Error(
        `replication slot "${name}" is one of ${slot.plugin} on database "${slot.database}", not of pgoutput on "${address.database}". Choose another slot_name.`,
      );
    }
    if (slot.walStatus === 'lost') {
      throw new Error(
        `replication slot "${name}" has lost its log: max_slot_wal_keep_size was exceeded. Drop it (SELECT pg_drop_replication_slot('${name}')), and it is made anew.`,
      );
    }
    const kept = await database.offset(name);
    // A snapshot that was not handled to its end is taken again: only then there is a position that is kept.
    const isSnapshotOwed = config.snapshot && kept === undefined && !hasSnapshot;
    if (!isSnapshotOwed) {
      const position = kept !== undefined && kept > slot.confirmed ? kept : slot.confirmed;
      return { position, created: undefined };
    }
    await database.dropSlot(name);
  }
  await database.forgetOffset(name);
  const created = await createSlot(replication, config);
  if (!config.snapshot && !config.temporary) await database.saveOffset(name, created.position);
  return { position: created.position, created };
};

const createSlot = async (
  replication: Replication,
  { slot_name: name, temporary, failover }: PostgresConfig,
): Promise<{ position: Lsn; snapshotName: string }> => {
  const options = failover ? "(FAILOVER true, SNAPSHOT 'export')" : 'EXPORT_SNAPSHOT';
  return exportedSlot(replication, `"${name}"${temporary ? ' TEMPORARY' : ''} LOGICAL pgoutput ${options}`);
};

/** `what`: all of the command behind its name. */
export const exportedSlot = async (
  replication: Replication,
  what: string,
): Promise<{ position: Lsn; snapshotName: string }> => {
  const [row] = await replication.command(`CREATE_REPLICATION_SLOT ${what}`);
  if (row?.consistent_point == null || row.snapshot_name == null) {
    throw new Error('the server has made a replication slot without a snapshot');
  }
  return { position: parseLsn(row.consistent_point), snapshotName: row.snapshot_name };
};
