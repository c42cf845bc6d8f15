import type { Declared } from '../../../runtime/entry.ts';
import type { Env } from '../../../runtime/env.ts';
import { messageOf, unavailable } from '../../../runtime/errors.ts';
import type { Component, ComponentLife } from '../../../runtime/lifecycle.ts';
import { componentOptions } from '../../../runtime/lifecycle-schema.ts';
import { passed } from '../../../runtime/passed.ts';
import { retryDelayMs } from '../../../runtime/retry-delay.ts';
import { EVENTS } from '../../events/port.ts';
import { type ChangeLog, DATABASES } from '../../sql/port.ts';
import { Admission } from '../admission.ts';
import { createFaults, type Fault } from '../fault.ts';
import { changeFilter } from '../filter.ts';
import { ChangeHub } from '../hub.ts';
import { cdcLag, cdcRetainedWal } from '../instruments.ts';
import type { SqliteConfig } from '../kinds.ts';
import { Progress } from '../progress.ts';
import type { CdcSource, SnapshotOptions, SourceState } from '../source.ts';
import { LogFeed } from './feed.ts';
import { type LogReading, logReading } from './reading.ts';
import { type SourceTraits, snapshotRow } from './rows.ts';
import { capturedTables } from './tables.ts';

/** A source with the component that drives it. */
export interface SqliteSource {
  readonly source: CdcSource;
  readonly component: Component;
}

/** `db.cdc.sqlite` (declarations.md, section 10): reads the log that triggers write in a database of this program. */
export const sqliteSource = (env: Env, { id, entry, config }: Declared<SqliteConfig>): SqliteSource => {
  const { clock } = env;
  const logger = env.logger.subsystem('cdc');
  const { db_resource: databaseId, event_system: eventSystem, durable: isDurable } = config;
  const name = config.name ?? id;
  const faults = createFaults(env, { sourceId: id, slot: id, eventSystem });
  const hub = new ChangeHub(env, { slot: id, eventSystem });
  const admission = new Admission(config.subscriptions);
  const health = env.health(id);
  const lifecycle = componentOptions(config.lifecycle);
  const file = env.registry.declared<{ file: string }>('db.sql.sqlite').find((one) => one.id === databaseId)
    ?.config.file;
  const wants = changeFilter(config.tables === undefined ? {} : { tables: config.tables });
  const tables = capturedTables(config.tables);

  let state: SourceState = 'unknown';
  let log: ChangeLog | undefined;
  let reading: LogReading | undefined;
  let feed: LogFeed | undefined;
  let traits: SourceTraits = { source: name, source_id: id, generation: '' };
  let epoch = 0;
  let hasSnapshot = false;
  let retained: number | undefined;
  /** When everything that had come was handled. */
  let caughtUpAt = clock.wall();
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let life: ComponentLife | undefined;

  /** Every failure that ends the reading of a log, or keeps one from being read, comes here (rule 76). */
  const fail = (error: unknown, kind: Fault['kind']): void => {
    state = 'faulted';
    const fields = feed === undefined ? {} : { position: Number(feed.progress.confirmed.position) };
    faults.report({ message: 'change capture has lost its source', error, kind, fields, lasting: 'connection' });
  };

  const open = async (): Promise<ChangeLog> => {
    const database = env.find(DATABASES)?.get(databaseId);
    if (database === undefined) throw unavailable(`${databaseId} is no database of this program`);
    return database.openChangeLog({
      reader: id,
      isDurable,
      tables: config.tables?.map((one) => one.toLowerCase()),
      wantsRows: config.snapshot,
      troubled(error) {
        if (error === undefined) faults.recovered('triggers');
        else faults.report({ message: 'change capture may miss changes', error, kind: 'write', lasting: 'triggers' });
      },
    });
  };
  const closeLog = async (): Promise<void> => {
    const ending = log;
    log = undefined;
    reading?.end();
    reading = undefined;
    await ending?.close();
  };

  const feedFrom = (position: number): LogFeed => {
    const progress = new Progress(BigInt(position), () => {
      caughtUpAt = clock.wall();
      if (feed?.progress === progress) reading?.advanced();
    });
    feed = new LogFeed({
      hub,
      progress,
      traits,
      wants,
      keysOfTable: tables.keys,
      onChange: health.activity,
      position,
    });
    return feed;
  };
  /** The feed goes on where it was, unless the log is another one: then what the earlier held is lost. */
  const feedOf = (at: ChangeLog): LogFeed => {
    if (feed !== undefined && traits.generation === at.generation) {
      return at.owesRows && !hasSnapshot ? feedFrom(at.position) : feed;
    }
    hasSnapshot = false;
    if (feed !== undefined) {
      const lost = unavailable(`cdc source was replaced: ${id} has a new log, changes before it are lost`);
      // Told also within an episode: what is lost stays lost. A log that is not kept is lost with every connection.
      if (isDurable) faults.report({ message: 'the log of changes was gone', error: lost, kind: 'internal' });
      hub.endListeners(lost);
    }
    epoch += 1;
    traits = { ...traits, generation: at.generation };
    return feedFrom(at.position);
  };

  /** The rows that are there now, before everything that the log will bring. */
  const deliverSnapshot = async (at: ChangeLog, current: LogFeed): Promise<void> => {
    const time = clock.wall();
    current.progress.begin(time);
    const row = (table: string, text: string): Promise<void> => {
      hub.dispatch(snapshotRow(traits, table, text, tables.keys, time), current.progress);
      return hub.room();
    };
    const position = await at.rows(tables.names(), row, stopping.signal);
    current.skipTo(position);
    hasSnapshot = true;
    current.progress.commit(BigInt(position));
  };

  /** One log, from its opening to its end. Rejects when it ends. */
  const stream = async (at: ChangeLog): Promise<never> => {
    const current = feedOf(at);
    const owesRows = at.owesRows && !hasSnapshot;
    if (!owesRows) state = 'running'; // who starts behind it finds it so
    reading = logReading({
      log: at,
      feed: current,
      hub,
      clock,
      onKeepFailed: (error) => {
        faults.report({ message: 'the position could not be written down', error, kind: 'write' });
      },
    });
    tables.learn(await at.shapes());
    // It waits for room, which there never is when the source stops: the end of the log ends it.
    if (owesRows) await Promise.race([deliverSnapshot(at, current), at.ended]);
    state = 'running';
    faults.recovered('connection');
    const position = current.position;
    logger.info('change capture reads', { source: id, db: databaseId, tables: tables.names().length, position });
    await status(at);
    const cancelStatus =
      config.status_interval === 0
        ? () => {}
        : clock.every(config.status_interval, () => void status(at).then(() => checkTables()), { unref: true });
    try {
      return await reading.run();
    } finally {
      cancelStatus();
    }
  };

  /** What the log keeps for us; a tick that fails is counted once. */
  const status = async (at: ChangeLog): Promise<void> => {
    try {
      retained = await at.retained(Number(feed?.progress.confirmed.position ?? at.position));
      tables.learn(await at.shapes());
    } catch (error) {
      if (log !== at) return; // its end is told where it ends
      faults.report({ message: 'the state of the log could not be read', error, kind: 'read', lasting: 'state' });
      return;
    }
    faults.recovered('state');
    const data = { slot: id, retained_wal_bytes: retained };
    env.find(EVENTS)?.send({ system: eventSystem, kind: 'status', path: id, data });
  };
  const checkTables = (): void => {
    const missing = tables.missing();
    if (missing.length === 0) {
      faults.recovered('tables');
      return;
    }
    const error = new Error(
      `${databaseId} has no such tables: ${missing.join(', ')}. Create them, or correct \`tables\`.`,
    );
    faults.report({ message: 'change capture lacks tables', error, kind: 'init', lasting: 'tables' });
  };

  const run = async (): Promise<void> => {
    const { restart } = lifecycle;
    const { signal } = stopping;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const began = clock.now();
      try {
        log ??= await open();
        if (signal.aborted) return;
        await stream(log);
      } catch (error) {
        if (signal.aborted) return;
        fail(error, log === undefined ? 'connect' : 'read');
        if (clock.now() - began >= restart.stableThresholdMs) attempt = 1;
        await closeLog().catch((failure: unknown) =>
          logger.debug('a broken log did not close', { source: id, error: messageOf(failure) }),
        );
        if (restart.maxAttempts > 0 && attempt > restart.maxAttempts) {
          const gone = unavailable(`cdc source has failed: ${id}: ${messageOf(error)}`, { retryable: false });
          hub.endListeners(gone);
          life?.ended(gone);
          return;
        }
        await passed(clock, retryDelayMs(restart, attempt + 1, Math.random), signal).catch(() => {}); // asked above
      }
    }
  };

  env.collector.observe('gauge', cdcRetainedWal, { slot: id }, () => retained);
  env.collector.observe('gauge', cdcLag, { slot: id }, () => {
    if (state === 'unknown' || state === 'stopped') return undefined;
    const since = feed?.progress.oldestOpen ?? (state === 'running' ? undefined : caughtUpAt);
    return since === undefined ? 0 : Math.max(0, clock.wall() - since) / 1000;
  });

  const source: CdcSource = {
    id,
    kind: entry.kind,
    name,
    slot: '',
    label: id,
    system: 'sqlite',
    database: databaseId,
    hub,
    admission,
    faults,
    get state() {
      return state;
    },
    details: () => ({
      ...(config.tables !== undefined && { tables: config.tables }),
      streaming: false,
      failover: false,
      temporary: false,
      snapshot: config.snapshot,
      event_system: eventSystem,
      engine: 'sqlite',
      ...(file !== undefined && { file }),
      db_resource: databaseId,
      ...(traits.generation !== '' && { generation: traits.generation, epoch: String(epoch) }),
    }),
    capabilities: {
      snapshot: true,
      durable: isDurable,
      replayable: false,
      captures_external_writes: isDurable,
      before_images: true,
      coalesced: false,
    },
    async snapshot({ wants: wantsTable, row, signal }: SnapshotOptions) {
      if (log === undefined) throw unavailable(`cdc source is not ready: ${id}`);
      tables.learn(await log.shapes());
      const time = clock.wall();
      const names = tables.names().filter((table) => wantsTable('main', table));
      const position = await log.rows(
        names,
        (table, text) => row(snapshotRow(traits, table, text, tables.keys, time)),
        signal,
      );
      return BigInt(position) + 1n; // that line itself is in the rows
    },
  };

  const component: Component = {
    name: id,
    ...lifecycle,
    needs: [...new Set([databaseId, ...lifecycle.needs])],
    async start(started) {
      state = 'starting';
      stopping = new AbortController();
      life = started;
      try {
        log = await open();
      } catch (error) {
        fail(error, 'connect');
        throw error;
      }
    },
    async open() {
      running = run();
    },
    /** Consumers end what they have; nothing more is read for them. */
    async drain() {
      reading?.end();
    },
    async stop() {
      stopping.abort(new Error(`cdc source stopped: ${id}`));
      try {
        await reading?.settle();
      } catch (error) {
        faults.report({ message: 'the last position could not be written down', error, kind: 'write' });
      }
      hub.endListeners();
      await closeLog().catch((error: unknown) =>
        logger.debug('the log did not close', { source: id, error: messageOf(error) }),
      );
      await running;
      state = 'stopped';
    },
  };
  return { source, component };
};
