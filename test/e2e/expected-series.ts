/**
 * Every series that the four families of the data surfaces must have after the run, with all labels and its exact value
 * (telemetry.md, section 1): counts per round of requests, and what happens once.
 */
import { seriesKey } from '../harness/prometheus-text.ts';
import { DRIVERS, STORES } from './data-steps.ts';

export interface Run {
  readonly rounds: number;
  readonly slot: string;
  /** Whether /hold was called, and what belongs to it. */
  readonly held: 0 | 1;
  /** Times that the database has cut the connection of change capture. */
  readonly cuts: number;
}
type Labels = Readonly<Record<string, string>>;

/** Two of one name: how many, and how long they took. */
const OPERATIONS = {
  kv: ['wippy_kv_ops_total', 'wippy_kv_op_duration_seconds_count'],
  sql: ['wippy_sql_ops_total', 'wippy_sql_op_duration_seconds_count'],
  queue: ['wippy_queue_messages_total', 'wippy_queue_process_duration_seconds_count'],
} as const;

class Series {
  readonly all = new Map<string, number>();
  set(name: string, labels: Labels, value: number): void {
    this.all.set(seriesKey(name, labels), value);
  }
  both(names: readonly string[], labels: Labels, value: number): void {
    for (const name of names) this.set(name, labels, value);
  }
  /** `op,result` to how often. */
  operations(names: readonly string[], of: Labels, counts: Readonly<Record<string, number>>): void {
    for (const [key, value] of Object.entries(counts)) {
      const [op = '', result = ''] = key.split(',');
      this.both(names, { ...of, op, result }, value);
    }
  }
}

/** data/stores.lua and the four other requests to a store; only `store.memory` and `store.redis` have conditions. */
const stores = (series: Series, { rounds }: Run): void => {
  for (const store of STORES) {
    const isSql = store === 'sqlite' || store === 'postgres';
    series.operations(
      OPERATIONS.kv,
      { namespace: `e2e:kv.${store}` },
      {
        'set,ok': rounds,
        'set,error': rounds,
        'get,ok': 2 * rounds,
        'get,not_found': (store === 'memory' ? 2 : 1) * rounds,
        ...(store !== 'memory' && { 'get,error': rounds }),
        'delete,ok': 2 * rounds,
        'delete,not_found': rounds,
        'put,ok': rounds,
        'put,error': rounds,
        ...(!isSql && { 'put,conflict': 2 * rounds, 'put,not_found': rounds }),
        'has,ok': rounds,
        'has,not_found': rounds,
        'list,ok': rounds,
      },
    );
  }
  series.operations(
    OPERATIONS.kv,
    { namespace: 'e2e:kv' },
    {
      'set,ok': rounds,
      'get,ok': rounds,
      'get,not_found': rounds,
      'delete,ok': rounds,
    },
  );
};

/**
 * Statements of data/sql.lua (direct, prepared, transaction, failures), of the `store.sql`, of /changes, of /hold and of
 * the request that waits for it. Each outside a transaction waits for a connection, each `begin` and each `prepare` too.
 */
const databases = (series: Series, { rounds, held }: Run): void => {
  const own = { query: 3 + 1 + 1, exec: 2 + 3 + 3 };
  const store = { query: 7, exec: 5 };
  const atStart = 2;
  series.operations(
    OPERATIONS.sql,
    { db: 'e2e:db.sqlite' },
    {
      'query,ok': (own.query + store.query) * rounds + atStart + 3 * held,
      'query,error': rounds,
      'exec,ok': (own.exec + 3 + store.exec) * rounds + 2 * held,
      'exec,error': 3 * rounds,
      'begin,ok': 5 * rounds + held,
      'begin,error': rounds,
      'commit,ok': rounds + held,
      'commit,error': rounds,
      'rollback,ok': 2 * rounds,
      'rollback,error': rounds,
    },
  );
  series.operations(
    OPERATIONS.sql,
    { db: 'e2e:db.postgres' },
    {
      'query,ok': (own.query + store.query) * rounds + atStart,
      'query,error': 2 * rounds,
      'exec,ok': (own.exec + 2 + store.exec + 8) * rounds + held,
      'exec,error': 2 * rounds,
      'begin,ok': 6 * rounds + held,
      'begin,error': rounds,
      'commit,ok': 2 * rounds + held,
      'commit,error': rounds,
      'rollback,ok': 2 * rounds,
      'rollback,error': rounds,
    },
  );
  const waits = (failures: number): number => 5 + 6 + 4 + failures + store.query + store.exec;
  series.set('wippy_sql_pool_wait_seconds_count', { db: 'e2e:db.sqlite' }, waits(8) * rounds + atStart + 6 * held);
  series.set(
    'wippy_sql_pool_wait_seconds_count',
    { db: 'e2e:db.postgres' },
    (waits(7) + 2) * rounds + atStart + 2 * held,
  );
  series.set('wippy_sql_pool_connections', { db: 'e2e:db.sqlite', state: 'idle' }, 1);
  for (const db of ['sqlite', 'postgres']) {
    series.set('wippy_sql_pool_connections', { db: `e2e:db.${db}`, state: 'used' }, 0);
  }
};

const settled = (series: Series, queue: string, counts: Readonly<Record<string, number>>): void => {
  for (const [result, value] of Object.entries(counts)) series.both(OPERATIONS.queue, { queue, result }, value);
  series.set('wippy_queue_in_flight', { queue }, 0);
};
/** data/tasks.lua on both drivers; /hold, and two messages that wait behind its own, once. */
const queues = (series: Series, { rounds, held }: Run): void => {
  const published = (queue: string, result: string, value: number): void =>
    series.set('wippy_queue_published_total', { queue, result }, value);
  const waited = (queue: string, value: number): void => series.set('wippy_queue_wait_seconds_count', { queue }, value);
  const declared = (queue: string, depth: number, capacity?: number): void => {
    series.set('wippy_queue_depth', { queue }, depth);
    if (capacity !== undefined) series.set('wippy_queue_capacity', { queue }, capacity);
    if (depth === 0) series.set('wippy_queue_oldest_age_seconds', { queue }, 0);
  };
  for (const driver of DRIVERS) {
    const byDefault = driver === 'memory' ? 1000 : undefined;
    const jobs = `e2e:jobs.${driver}`;
    published(jobs, 'ok', 5 * rounds + 3 * held);
    published(jobs, 'error', rounds);
    settled(series, jobs, { ack: 3 * rounds + 3 * held, nack: 2 * rounds, dead: rounds });
    series.set('wippy_queue_redelivered_total', { queue: jobs }, 2 * rounds);
    waited(jobs, 4 * rounds + 3 * held);
    declared(jobs, 0, byDefault);
    const dead = `e2e:dead.${driver}`;
    settled(series, dead, { ack: rounds });
    waited(dead, rounds);
    declared(dead, 0, byDefault);
    published(`e2e:backlog.${driver}`, 'ok', rounds);
    declared(`e2e:backlog.${driver}`, rounds, 50);
  }
  for (const [queue, capacity] of [
    ['e2e:jobs', 1000],
    ['e2e:lost', 1000],
    ['e2e:outbox', undefined],
  ] as const) {
    published(queue, 'ok', rounds);
    settled(series, queue, { ack: rounds });
    waited(queue, rounds);
    declared(queue, 0, capacity);
  }
};

/** data/changes.lua; the row that was there before, and that of /hold. */
const changes = (series: Series, { rounds, slot, cuts, held }: Run): void => {
  const counts = { insert: 5 * rounds + held, update: rounds, delete: rounds, truncate: rounds, snapshot: 1 };
  for (const [op, value] of Object.entries(counts)) series.set('wippy_cdc_changes_total', { slot, op }, value);
  const handled = 'wippy_cdc_process_duration_seconds_count';
  series.set(handled, { slot, result: 'ok' }, 6 * rounds + 1 + held);
  series.set(handled, { slot, result: 'error' }, 4 * rounds);
  // One change is skipped, one goes to the dead letters.
  series.set('wippy_cdc_errors_total', { slot }, 2 * rounds + cuts);
  series.set('wippy_cdc_lag_seconds', { slot }, 0);
};

/** What cannot be known before: these are asked for on their own. */
export const MEASURED: ReadonlySet<string> = new Set([
  'wippy_sql_pool_connections{db="e2e:db.postgres",state="idle"}',
  'wippy_queue_oldest_age_seconds{queue="e2e:backlog.memory"}',
  'wippy_queue_oldest_age_seconds{queue="e2e:backlog.redis"}',
]);

export const expectedSeries = (run: Run): ReadonlyMap<string, number> => {
  const series = new Series();
  for (const part of [stores, databases, queues, changes]) part(series, run);
  return series.all;
};
