import { randomUUID } from 'node:crypto';
import type { Declared } from '../../../runtime/entry.ts';
import type { Env } from '../../../runtime/env.ts';
import { messageOf, unavailable } from '../../../runtime/errors.ts';
import type { Component, ComponentLife } from '../../../runtime/lifecycle.ts';
import { componentOptions } from '../../../runtime/lifecycle-schema.ts';
import { clientConfigs, type PostgresAddress } from '../../../runtime/postgres/options.ts';
import { retryDelayMs } from '../../../runtime/retry-delay.ts';
import { postgresAddressIn } from '../../postgres/port.ts';
import { Admission } from '../admission.ts';
import { createFaults, type Fault } from '../fault.ts';
import { ChangeHub } from '../hub.ts';
import { cdcLag, cdcRetainedWal } from '../instruments.ts';
import type { PostgresConfig } from '../kinds.ts';
import { lsnText } from '../pgoutput/lsn.ts';
import { Progress } from '../progress.ts';
import type { CdcSource, SourceState } from '../source.ts';
import { CAPTURE_SETTINGS } from './database.ts';
import { ChangeFeed } from './feed.ts';
import { connectReplication } from './replication.ts';
import { type SourceTraits, snapshotRow } from './rows.ts';
import { exportedSlot, openSession, publicationOf, type Session, wantedTables } from './session.ts';
import { slotStatus } from './slot-status.ts';
import { readSnapshot } from './snapshot.ts';
import { type Streaming, startStreaming } from './streaming.ts';

/** A source with the component that drives it. */
export interface PostgresSource {
  readonly source: CdcSource;
  readonly component: Component;
  /** Which database it reads, or stands by to read (`databaseIdentity`); undefined before it has been reached. */
  identity(): string | undefined;
}

const CONNECT_MS = 10_000;
/** SQLSTATEs of a slot that somebody reads, or of a temporary one that is there. */
const IN_USE: ReadonlySet<unknown> = new Set(['55006', '42710']);

/**
 * `db.cdc.postgres` (declarations.md, section 10): one slot, read by one connection after the other. Of several programs with the
 * same slot one reads, the others stand by.
 */
export const postgresSource = (env: Env, declared: Declared<PostgresConfig>): PostgresSource => {
  const { id, entry, config } = declared;
  const { clock } = env;
  const logger = env.logger.subsystem('cdc');
  const { slot_name: slot, event_system: eventSystem } = config;
  const faults = createFaults(env, { sourceId: id, slot, eventSystem });
  const hub = new ChangeHub(env, { slot, eventSystem });
  const admission = new Admission(config.subscriptions);
  const health = env.health(id);
  const lifecycle = componentOptions(config.lifecycle);

  let state: SourceState = 'unknown';
  let address: PostgresAddress | undefined;
  let identity: string | undefined;
  let session: Session | undefined;
  /** What the start has begun. */
  let opening: Promise<Session> | undefined;
  let streaming: Streaming | undefined;
  let feed: ChangeFeed | undefined;
  let traits: SourceTraits = { source: id, source_id: id, generation: '' };
  let epoch = 0;
  let hasSnapshot = false;
  /** The server's, of our connections. */
  const processes = new Set<number>();
  /** When everything that had come was handled. */
  let caughtUpAt = clock.wall();
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const status = slotStatus(env, { config, faults, isCurrent: (at) => session === at });

  /** Every failure that ends a session, or keeps one from being, comes here (rule 76). */
  const fail = (error: unknown, kind: Fault['kind']): void => {
    state = 'faulted';
    const again = feed === undefined ? {} : { position: lsnText(feed.progress.confirmed.position) };
    faults.report({ message: 'change capture has lost its source', error, kind, fields: again, lasting: 'connection' });
  };

  const open = async (standBy: () => void = () => {}): Promise<Session> => {
    address = postgresAddressIn(env, declared);
    const forms = clientConfigs(address, {
      options: config.options,
      root: env.settings.root,
      settings: CAPTURE_SETTINGS,
      applicationName: 'perilune cdc',
      connectTimeoutMs: CONNECT_MS,
    });
    const opened = await openSession({
      address,
      forms,
      config,
      clock,
      hasSnapshot,
      processes,
      signal: stopping.signal,
      reached(database) {
        identity = database;
      },
      standBy() {
        state = 'starting';
        faults.recovered('connection');
        logger.info('change capture stands by: another program reads the slot', { source: id, slot });
        standBy();
      },
    });
    for (const one of processes) {
      if (one !== opened.database.processId && one !== opened.replication.processId) processes.delete(one);
    }
    return opened;
  };
  const closeSession = async (): Promise<void> => {
    const ending = session;
    session = undefined;
    streaming?.end();
    streaming = undefined;
    await ending?.close();
  };

  /** The feed goes on where it was, unless the slot is a new one: then the log between is lost. */
  const feedOf = (at: Session): ChangeFeed => {
    if (feed !== undefined && at.created === undefined) return feed;
    if (feed !== undefined) {
      const lost = unavailable(`cdc source was replaced: ${id} has a new slot, changes before it are lost`);
      if (!config.temporary) {
        // Told also within an episode: what is lost stays lost.
        const message = 'the replication slot was gone';
        faults.report({ message, error: lost, kind: 'internal' });
      }
      hub.endListeners(lost);
    }
    epoch += 1;
    hasSnapshot = false;
    traits = { source: id, source_id: id, generation: `${at.systemId}/${at.position.toString(16)}` };
    if (at.created === undefined) traits = { ...traits, generation: at.systemId };
    const progress = new Progress(at.position, () => {
      caughtUpAt = clock.wall();
      streaming?.advanced();
    });
    feed = new ChangeFeed({ hub, progress, traits, wants: wantedTables(config), onChange: health.activity });
    return feed;
  };

  /** The rows that were there when the slot was made, before everything that it will bring. */
  const deliverSnapshot = async (at: Session, { progress }: ChangeFeed): Promise<void> => {
    if (!config.snapshot || at.created === undefined) return;
    const time = clock.wall();
    progress.begin(time);
    progress.seen(); // also without a single row the snapshot is over once and for all
    await readSnapshot({
      config: at.database.config,
      name: at.created.snapshotName,
      tables: at.tables,
      fetchSize: config.snapshot_fetch_size,
      signal: stopping.signal,
      row(table, row) {
        hub.dispatch(snapshotRow(traits, table, row, { lsn: at.position, time }), progress);
        return hub.room();
      },
    });
    progress.commit(at.position);
    hasSnapshot = true;
  };

  /** One session, from its first message to its end. Rejects when it ends. */
  const stream = async (at: Session): Promise<never> => {
    const current = feedOf(at);
    await deliverSnapshot(at, current);
    let from = at.position;
    if (current.progress.dispatched > from) from = current.progress.dispatched;
    streaming = await startStreaming({
      session: at,
      feed: current,
      hub,
      config,
      clock,
      from,
      onKeepFailed: (error) => {
        faults.report({ message: 'the position could not be written down', error, kind: 'write' });
      },
    });
    state = 'running';
    faults.recovered('connection');
    logger.info('change capture reads', {
      source: id,
      slot,
      publication: at.publication,
      tables: at.tables.length,
      position: lsnText(at.position),
    });
    streaming.advanced();
    const ended = Promise.race([at.replication.ended, at.database.ended]);
    let cancelStatus = (): void => {};
    try {
      await Promise.race([status.read(at), ended]);
      if (config.status_interval > 0) {
        cancelStatus = clock.every(config.status_interval, () => void status.read(at), { unref: true });
      }
      return await ended;
    } finally {
      cancelStatus();
      current.interrupt();
    }
  };

  const run = async (life: ComponentLife | undefined): Promise<void> => {
    const { restart } = lifecycle;
    for (let attempt = 1; !stopping.signal.aborted; attempt += 1) {
      const began = clock.now();
      try {
        session ??= await (opening ?? open());
        opening = undefined;
        if (stopping.signal.aborted) return;
        await stream(session);
      } catch (error) {
        opening = undefined;
        if (stopping.signal.aborted) return;
        fail(error, session === undefined ? 'connect' : 'read');
        // A reader whose machine has vanished holds the slot until the server notices: that is waited for, not given up.
        const isInUse = IN_USE.has((error as { code?: unknown }).code);
        if (isInUse || clock.now() - began >= restart.stableThresholdMs) attempt = 1;
        await closeSession().catch((failure: unknown) =>
          logger.debug('a broken connection did not close', { source: id, error: messageOf(failure) }),
        );
        if (restart.maxAttempts > 0 && attempt > restart.maxAttempts) {
          const gone = unavailable(`cdc source has failed: ${id}: ${messageOf(error)}`, { retryable: false });
          hub.endListeners(gone);
          life?.ended(gone);
          return;
        }
        await pause(retryDelayMs(restart, attempt + 1, Math.random));
      }
    }
  };
  /** Ends early when the source stops. */
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        cancel();
        stopping.signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.after(ms, end);
      stopping.signal.addEventListener('abort', end, { once: true });
    });

  env.collector.observe('gauge', cdcRetainedWal, { slot }, () => status.retained);
  env.collector.observe('gauge', cdcLag, { slot }, () => {
    // Whoever stands by does not know: the one that reads tells.
    if (state === 'unknown' || state === 'starting' || state === 'stopped') return undefined;
    const since = feed?.progress.oldestOpen ?? (state === 'running' ? undefined : caughtUpAt);
    return since === undefined ? 0 : Math.max(0, clock.wall() - since) / 1000;
  });

  const source: CdcSource = {
    id,
    kind: entry.kind,
    name: id,
    slot,
    label: slot,
    system: 'postgresql',
    get database() {
      return address?.database ?? config.database;
    },
    hub,
    admission,
    faults,
    get state() {
      return state;
    },
    details: () => ({
      publication: publicationOf(config),
      ...(config.tables !== undefined && { tables: config.tables }),
      streaming: config.streaming,
      failover: config.failover,
      temporary: config.temporary,
      snapshot: config.snapshot,
      event_system: eventSystem,
      engine: 'postgres',
      ...(traits.generation !== '' && { generation: traits.generation, epoch: String(epoch) }),
    }),
    capabilities: {
      snapshot: true,
      durable: !config.temporary,
      replayable: false,
      captures_external_writes: true,
      before_images: true,
      coalesced: false,
    },
    /** A slot of its own for a moment: its snapshot and its position belong together. */
    async snapshot({ wants, row, signal }) {
      if (session === undefined) throw unavailable(`cdc source is not ready: ${id}`);
      const { tables, database } = session;
      const replication = await connectReplication(database.config, clock);
      try {
        const slotName = `perilune_${randomUUID().replaceAll('-', '_')}`;
        const exported = await exportedSlot(replication, `"${slotName}" TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`);
        const at = { lsn: exported.position, time: clock.wall() };
        await readSnapshot({
          config: database.config,
          name: exported.snapshotName,
          tables: tables.filter(({ schema, name: table }) => wants(schema, table)),
          fetchSize: config.snapshot_fetch_size,
          signal,
          row: (table, values) => row(snapshotRow(traits, table, values, at)),
        });
        return exported.position;
      } finally {
        await replication.close();
      }
    },
  };

  const component: Component = {
    name: id,
    ...lifecycle,
    async start(started) {
      state = 'starting';
      stopping = new AbortController();
      life = started;
      const standingBy = Promise.withResolvers<void>();
      const opened = open(standingBy.resolve);
      try {
        session = await Promise.race([opened, standingBy.promise.then(() => undefined)]);
        if (session === undefined) opening = opened;
      } catch (error) {
        fail(error, 'connect');
        throw error;
      }
    },
    async open() {
      running = run(life);
    },
    /** Consumers end what they have; nothing more is read for them. */
    async drain() {
      streaming?.hold();
    },
    async stop() {
      stopping.abort(new Error(`cdc source stopped: ${id}`));
      try {
        await streaming?.settle();
      } catch (error) {
        faults.report({ message: 'the last position could not be written down', error, kind: 'write' });
      }
      hub.endListeners();
      identity = undefined;
      await closeSession();
      await running;
      session ??= await opening?.catch(() => undefined); // stopped before it was opened, or while it waited for its turn
      opening = undefined;
      await closeSession();
      state = 'stopped';
    },
  };
  let life: ComponentLife | undefined;
  return { source, component, identity: () => identity };
};
