import { t as root, type Test, test } from 'tap';
import { SQL_OPERATIONS, SQL_RESULTS } from '../../../services/sql/instruments.ts';
import { pushedSeries, textSeries } from '../../boot/program/both-sinks.ts';
import { startOtlpCollector } from '../../harness/otlp-collector.ts';
import { poll } from '../../harness/poll.ts';
import { POSTGRES_MISSING, startPostgres } from '../../harness/postgres.ts';
import { startProgram } from '../../harness/program.ts';
import { select } from '../../harness/prometheus-text.ts';

const server = await startPostgres(root);

/** Planted in everything that a statement is made of. None may be seen in any signal. */
const SECRETS = {
  parameter: 'planted-as-a-parameter',
  prepared: 'planted-in-a-prepared-one',
  literal: 'planted-in-the-text',
  comment: 'planted-in-a-comment',
  failing: 'planted-where-it-fails',
  result: 'planted-in-a-result',
  password: 'planted-as-the-password',
};

/** One of each variant, failures too. `P1`, `P2` stand for the placeholders. */
const WORK = `
local sql = require("sql")
local http = require("http")
local function main()
  local db = assert(sql.get("app:db"))
  assert(db:execute("CREATE TABLE notes (id integer PRIMARY KEY, body text)"))
  assert(db:execute("INSERT INTO notes (id, body) VALUES (P1, P2) -- ${SECRETS.comment}", { 1, "${SECRETS.parameter}" }))
  assert(db:query("SELECT body, '${SECRETS.result}' AS r FROM notes WHERE body <> '${SECRETS.literal}'"))
  local statement = assert(db:prepare("INSERT INTO notes (id, body) VALUES (P1, P2)"))
  for id = 2, 4 do assert(statement:execute({ id, "${SECRETS.prepared}" })) end
  local find = assert(db:prepare("SELECT * FROM notes WHERE body = P1"))
  assert(find:query({ "${SECRETS.prepared}" }))
  assert(find:query({ "${SECRETS.prepared}" }))
  local tx = assert(db:begin())
  assert(tx:execute("UPDATE notes SET body = P1", { "${SECRETS.parameter}" }))
  assert(tx:query("SELECT count(*) FROM notes"))
  assert(tx:commit())
  tx = assert(db:begin())
  assert(tx:prepare("DELETE FROM notes")):execute()
  assert(tx:rollback())
  local bad, failure = db:query("SELECT * FROM notes WHERE ${SECRETS.failing} = '${SECRETS.failing}'")
  assert(bad == nil and failure)
  bad, failure = db:execute("INSERT INTO notes (id, body) VALUES (1, P1)", { "${SECRETS.failing}" })
  assert(bad == nil and failure)
  assert(db:begin()) -- the end of the call rolls it back
  http.response():write_json({ ok = true })
end
return { main = main }
`;
const EXPECTED: Readonly<Record<string, number>> = {
  'query,ok': 4,
  'query,error': 1,
  'exec,ok': 7,
  'exec,error': 1,
  'begin,ok': 3,
  'commit,ok': 1,
  'rollback,ok': 2,
};

type Database = Readonly<Record<string, unknown>>;
const app = (t: Test, database: Database, isNumbered: boolean): string => {
  const source = WORK.replace(/\bP(\d)\b/g, (_, n: string) => (isNumbered ? `$${n}` : '?'));
  const entries = [
    { name: 'db', lifecycle: { auto_start: true }, ...database },
    { name: 'gateway', kind: 'http.service', addr: '127.0.0.1:${APP_PORT|0}', lifecycle: { auto_start: true } },
    { name: 'api', kind: 'http.router', meta: { server: 'gateway' } },
    { name: 'work.e', kind: 'http.endpoint', meta: { router: 'api' }, method: 'POST', path: '/work', func: 'work' },
    { name: 'work', kind: 'function.lua', method: 'main', modules: ['sql', 'http'], source: 'file://work.lua' },
  ];
  return t.testdir({
    '_index.yaml': JSON.stringify({ version: '1.0', namespace: 'app', entries }),
    'work.lua': source,
  });
};

/** The real program does its work once and is stopped. */
const observed = async (t: Test, database: Database, isNumbered: boolean, spans: boolean) => {
  const collector = await startOtlpCollector();
  t.teardown(() => collector.close());
  const program = await startProgram(t, app(t, database, isNumbered), {
    ports: ['APP_PORT'],
    set: {
      'otel.enabled': true,
      'otel.endpoint': collector.url,
      'otel.batch.schedule_delay': '50ms',
      'otel.metrics_enabled': true,
      'otel.metric_export_interval': '10m',
      'otel.sql.spans': spans,
    },
  });
  const response = await fetch(program.url('APP_PORT', '/work'), { method: 'POST' });
  t.equal(response.status, 200, program.output());
  await response.text();
  // What the end of the call gives back is given back after its response.
  await poll('nothing is in use', async () =>
    select(await program.scrape(), 'wippy_sql_pool_connections', { state: 'used' }).every(({ value }) => value === 0),
  );
  const scraped = await program.scrape();
  const { code } = await program.stop();
  t.equal(code, 0, program.output());
  return { collector, program, scraped };
};

const telemetryOf = (name: string, databaseOf: () => Promise<Database>, isNumbered: boolean, skip: false | string) => {
  test(`rules 15, 75: ${name}: every variant (direct, prepared, transaction) is counted, in both sinks`, {
    skip,
  }, async (t) => {
    const { collector, program, scraped } = await observed(t, await databaseOf(), isNumbered, false);
    const ops = select(scraped, 'wippy_sql_ops_total');
    const counted = Object.fromEntries(ops.map(({ labels, value }) => [`${labels.op},${labels.result}`, value]));
    t.same(counted, EXPECTED);
    for (const { labels } of ops) {
      t.same(Object.keys(labels).sort(), ['db', 'op', 'result']);
      t.equal(labels.db, 'app:db');
      t.ok(SQL_OPERATIONS.some((op) => op === labels.op) && SQL_RESULTS.some((result) => result === labels.result));
    }
    const timed = select(scraped, 'wippy_sql_op_duration_seconds_count');
    t.same(Object.fromEntries(timed.map(({ labels, value }) => [`${labels.op},${labels.result}`, value])), EXPECTED);
    const pool = select(scraped, 'wippy_sql_pool_connections');
    t.same(pool.map(({ labels }) => labels.state).sort(), ['idle', 'used']);
    t.ok((pool.find(({ labels }) => labels.state === 'idle')?.value ?? 0) >= 1, 'a connection is kept');
    // Every statement outside a transaction takes a connection, a transaction takes one; `prepare` does too.
    t.same(
      select(scraped, 'wippy_sql_pool_wait_seconds_count').map(({ labels, value }) => [labels, value]),
      [[{ db: 'app:db' }, 15]],
    );

    const isSql = ([key]: [string, number]) => /^wippy_sql_(ops|op_dur|pool_wait)/.test(key);
    const pushed = new Map([...pushedSeries(collector)].filter(isSql));
    t.ok(pushed.size > 20);
    t.same(pushed, new Map([...textSeries(scraped)].filter(isSql)), 'the same numbers are pushed');

    t.same(
      collector.spans({}).filter(({ attributes }) => 'db.system.name' in attributes),
      [],
      'no spans unless they are switched on',
    );
    const failed = program.stderr
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ subsystem }) => subsystem === 'sql');
    t.match(failed, [{ level: 'error', db: 'app:db', op: 'exec', msg: 'database write failed', kind: 'Internal' }]);
    t.equal(failed.length, 1, 'one line for one failed write');
  });

  test(`rule 75: ${name}: spans have a summary and never a value`, { skip }, async (t) => {
    const database = await databaseOf();
    const { collector, program, scraped } = await observed(t, database, isNumbered, true);
    const spans = collector.spans({}).filter(({ attributes }) => 'db.system.name' in attributes);
    const names = new Map<string, number>();
    for (const span of spans) names.set(span.name, (names.get(span.name) ?? 0) + 1);
    t.same(Object.fromEntries(names), {
      'CREATE notes': 1,
      'INSERT notes': 5,
      'SELECT notes': 5,
      'UPDATE notes': 1,
      'DELETE notes': 1,
      'begin app:db': 3,
      'commit app:db': 1,
      'rollback app:db': 2,
    });
    const parent = collector.span({ name: 'app:work' });
    const system = isNumbered ? 'postgresql' : 'sqlite';
    for (const span of spans) {
      t.equal(span.parentSpanId, parent.spanId, `${span.name}: parent`);
      t.equal(span.kind, isNumbered ? 'client' : 'internal', `${span.name}: kind`);
      t.equal(span.attributes['db.system.name'], system);
      t.notOk('db.query.text' in span.attributes);
      t.same(span.events, [], 'no exception with the words of the database');
    }
    const failed = spans.filter(({ status }) => status === 'error');
    t.same(
      failed.map(({ name: one, attributes }) => [one, attributes['error.type'], attributes['db.response.status_code']]),
      [
        ['SELECT notes', 'Internal', isNumbered ? '42601' : '1'],
        ['INSERT notes', 'Internal', isNumbered ? '23505' : '1555'],
      ],
    );
    const [any] = spans;
    t.ok(any?.attributes['db.namespace']);
    if (isNumbered) t.match(any?.attributes, { 'server.address': '127.0.0.1', 'server.port': Number });

    const signals: Readonly<Record<string, string>> = {
      spans: JSON.stringify(collector.spans({})),
      scrape: JSON.stringify(scraped),
      pushed: JSON.stringify([...pushedSeries(collector)]),
      output: program.output(),
    };
    t.match(signals.spans, /app:work/);
    t.match(signals.output, /database write failed/);
    for (const [signal, text] of Object.entries(signals)) {
      for (const secret of [...Object.values(SECRETS), String(database.password ?? SECRETS.password)]) {
        t.notOk(text.includes(secret), `${secret} in ${signal}`);
      }
    }
  });
};

telemetryOf('sqlite, in memory', async () => ({ kind: 'db.sql.sqlite', file: ':memory:' }), false, false);
telemetryOf('sqlite, in a file', async () => ({ kind: 'db.sql.sqlite', file: 'data.db' }), false, false);
telemetryOf(
  'postgres',
  async () => {
    if (server === undefined) throw new Error(POSTGRES_MISSING);
    const { host, port, database, username, password } = await server.createDatabase('telemetry');
    return { kind: 'db.sql.postgres', host, port, database, username, password };
  },
  true,
  server === undefined && POSTGRES_MISSING,
);
