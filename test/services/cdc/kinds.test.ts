import { test } from 'tap';
import { cdcConsumer, cdcPostgres, cdcSqlite } from '../../../services/cdc/kinds.ts';

const messages = (
  schema: typeof cdcPostgres | typeof cdcSqlite | typeof cdcConsumer,
  value: unknown,
): readonly string[] => {
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.map(({ message }) => message);
};
const VALID = {
  host: 'h',
  port: 5432,
  database: 'd',
  username: 'u',
  password: 'p',
  slot_name: 'slot',
  tables: ['orders'],
};
const CONSUMER = { source: 'app:source', func: 'app:func' };

test('db.cdc.postgres: defaults and messages', async (t) => {
  t.same(messages(cdcPostgres, VALID), []);
  const config = cdcPostgres.parse(VALID);
  t.match(config, {
    event_system: 'postgres_cdc',
    snapshot: false,
    streaming: false,
    temporary: false,
    failover: false,
    standby_interval: 10_000,
    status_interval: 30_000,
    snapshot_fetch_size: 1000,
    subscriptions: { max_subscriptions: 1024, max_snapshots: 4, max_bytes: 268_435_456 },
  });
  for (const [change, message] of [
    [{ host: undefined }, 'host is required'],
    [{ database: undefined }, 'database is required'],
    [{ username: undefined }, 'username is required'],
    [{ password: undefined }, 'password is required'],
    [{ port: undefined }, 'port must be greater than 0'],
    [{ port: 0 }, 'port must be greater than 0'],
    [{ slot_name: undefined }, 'slot_name is required'],
    [{ slot_name: '' }, 'slot_name is required'],
    [{ tables: undefined }, 'publication or tables is required'],
    [{ failover: true, temporary: true }, 'failover cannot be set on a temporary slot'],
    [{ standby_interval: '-1s' }, 'interval must be a non-negative duration (e.g. 10s)'],
    [{ status_interval: 'soon' }, 'interval must be a non-negative duration (e.g. 10s)'],
    [{ snapshot_fetch_size: -1 }, 'snapshot_fetch_size must be non-negative'],
    [{ subscriptions: { max_bytes: -1 } }, 'max_bytes must be non-negative'],
  ] as const) {
    t.ok(messages(cdcPostgres, { ...VALID, ...change }).includes(message), message);
  }
  t.same(messages(cdcPostgres, { ...VALID, host: undefined, host_env: 'HOST' }), []);
  t.same(messages(cdcPostgres, { ...VALID, tables: undefined, publication: 'p' }), []);
  const zero = cdcPostgres.parse({ ...VALID, subscriptions: { max_subscriptions: 0 } });
  t.equal(zero.subscriptions.max_subscriptions, 1024, '0 is the default');
});

test('db.cdc.sqlite: defaults and messages', async (t) => {
  t.match(cdcSqlite.parse({ db_resource: 'app:shop' }), {
    name: undefined,
    tables: undefined,
    snapshot: false,
    durable: false,
    event_system: 'sqlite_cdc',
    status_interval: 30_000,
    subscriptions: { max_subscriptions: 1024, max_snapshots: 4, max_bytes: 268_435_456 },
  });
  for (const [change, message] of [
    [{ db_resource: undefined }, 'db_resource is required'],
    [{ db_resource: '' }, 'db_resource is required'],
    [{ status_interval: '-1s' }, 'interval must be a non-negative duration (e.g. 10s)'],
    [{ subscriptions: { max_snapshots: -1 } }, 'max_snapshots must be non-negative'],
  ] as const) {
    t.ok(messages(cdcSqlite, { db_resource: 'app:shop', ...change }).includes(message), message);
  }
  t.equal(messages(cdcSqlite, { db_resource: 'app:shop', durable: 'yes' }).length, 1);
});

test('cdc.consumer: defaults and messages', async (t) => {
  t.same(messages(cdcConsumer, CONSUMER), []);
  t.match(cdcConsumer.parse(CONSUMER), {
    concurrency: 1,
    on_failure: 'stop',
    retry: { max_attempts: 0, initial_delay: 100, max_delay: 10_000, backoff_factor: 2, jitter: 0.1 },
  });
  for (const [change, message] of [
    [{ source: undefined }, 'source is required'],
    [{ func: undefined }, 'exactly one of func and queue is required'],
    [{ queue: 'app:queue' }, 'exactly one of func and queue is required'],
    [{ on_failure: 'dead_letter' }, 'dead_letter.queue is required'],
    [{ concurrency: 0 }, 'concurrency must be at least 1'],
  ] as const) {
    t.ok(messages(cdcConsumer, { ...CONSUMER, ...change }).includes(message), message);
  }
});
