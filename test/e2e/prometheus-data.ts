import { DURATION_SECONDS, LIFETIME_SECONDS } from '../../runtime/metrics/instruments.ts';
import { poll } from '../harness/poll.ts';
import type { Program } from '../harness/program.ts';
import type { PrometheusServer } from '../harness/prometheus.ts';
import { seriesKey, total } from '../harness/prometheus-text.ts';
import type { Backends } from './backends.ts';
import type { Checks } from './checks.ts';
import { DRIVERS } from './data-steps.ts';
import { expectedSeries, MEASURED, type Run } from './expected-series.ts';
import { startGate } from './gate.ts';

export const single = async (prometheus: PrometheusServer, expression: string): Promise<number | string> => {
  const rows = await prometheus.query(expression);
  return rows.length === 1 ? (rows[0]?.value ?? Number.NaN) : `${rows.length} series`;
};
const post = async (program: Program, path: string): Promise<number> => {
  const response = await fetch(program.url('E2E_PORT', path), { method: 'POST' });
  await response.arrayBuffer();
  return response.status;
};
/** Clocks of the program, of its databases and of Prometheus: the same machine, but a scrape takes its time. */
const SLACK_SECONDS = 0.5;

/** Each series of `expressions`, as soon as a scrape shows what is expected, else as it is at the deadline. */
const checkLive = async (
  checks: Checks,
  prometheus: PrometheusServer,
  expressions: Readonly<Record<string, number>>,
): Promise<void> => {
  for (const [expression, expected] of Object.entries(expressions)) {
    let got: number | string = '';
    await poll(expression, async () => {
      got = await single(prometheus, expression);
      return got === expected;
    }).catch(() => {}); // the check says what it is
    checks.equal(got, expected, `meanwhile ${expression} is ${expected}`);
  }
};

/** What waits is seen while it waits: the gauges of everything that can be held up. */
export const checkHeld = async (
  checks: Checks,
  prometheus: PrometheusServer,
  program: Program,
  { slot }: Backends,
): Promise<void> => {
  const gate = await startGate(checks.scope);
  const begun = Date.now() / 1000;
  const held = post(program, `/hold?gate=${encodeURIComponent(gate.url)}`);
  await poll('the request, two messages and a change wait', () => gate.waiting === 4);
  const all = Date.now() / 1000;
  const waiting = post(program, '/sql/sqlite/direct');
  for (const driver of DRIVERS) for (let i = 0; i < 2; i += 1) await post(program, `/jobs/${driver}/ok`);
  await checkLive(checks, prometheus, {
    ...Object.fromEntries(
      DRIVERS.flatMap((driver) => [
        [`wippy_queue_in_flight{queue="e2e:jobs.${driver}"}`, 1],
        [`wippy_queue_depth{queue="e2e:jobs.${driver}"}`, 2],
      ]),
    ),
    'wippy_sql_pool_connections{db="e2e:db.sqlite",state="used"}': 1,
    'wippy_sql_pool_connections{db="e2e:db.sqlite",state="idle"}': 0,
    'wippy_sql_pool_connections{db="e2e:db.postgres",state="used"}': 1,
    'wippy_function_in_flight{function_id="e2e:on_item"}': 1,
    'wippy_function_in_flight{function_id="e2e:task"}': 2,
  });
  const lag = `wippy_cdc_lag_seconds{slot="${slot}"}`;
  const committed = Number(await single(prometheus, `timestamp(${lag}) - ${lag}`));
  checks.ok(
    committed > begun - SLACK_SECONDS && committed < all + SLACK_SECONDS,
    'the lag of change capture counts from the commit of the change that is not handled',
    { begun, committed, all },
  );
  const seconds = Date.now() / 1000 - all;
  gate.open();
  checks.equal([await held, await waiting], [200, 200], 'what has waited goes on');
  await poll('and ends', async () => {
    const metrics = await program.scrape();
    return DRIVERS.every(
      (driver) =>
        total(metrics, 'wippy_queue_in_flight', { queue: `e2e:jobs.${driver}` }) === 0 &&
        total(metrics, 'wippy_queue_depth', { queue: `e2e:jobs.${driver}` }) === 0,
    );
  });
  await prometheus.scraped();
  const waited = Number(await single(prometheus, 'wippy_sql_pool_wait_seconds_sum{db="e2e:db.sqlite"}'));
  checks.ok(waited >= seconds, `the wait for a connection was measured: at least ${seconds.toFixed(1)} s`, waited);
};

/** The database cuts the connection: counted once, degraded until it is back, and nothing comes twice. */
export const checkCut = async (
  checks: Checks,
  prometheus: PrometheusServer,
  program: Program,
  { slot, postgres }: Backends,
): Promise<void> => {
  const errors = async (): Promise<number> => total(await program.scrape(), 'wippy_cdc_errors_total', { slot }) ?? 0;
  const before = await errors();
  await postgres.run('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [slot]);
  await poll('the loss is counted', async () => (await errors()) > before);
  await poll('change capture works again', () => program.output().includes('change capture works again'));
  checks.equal((await errors()) - before, 1, 'a connection that is lost is one error');
  await prometheus.scraped();
  const degraded = 'wippy_component_degraded_seconds_total{component="e2e:capture"}';
  const first = await single(prometheus, degraded);
  await prometheus.scraped();
  checks.ok(Number(first) > 0, 'and seconds of being degraded', first);
  checks.equal(await single(prometheus, degraded), first, 'which have ended');
};

/** Every series of the four families: those that are expected, with their values, and no others. */
export const checkSeries = async (checks: Checks, prometheus: PrometheusServer, run: Run): Promise<void> => {
  const rows = await prometheus.query(
    '{__name__=~"wippy_(kv|sql|queue|cdc)_.+",__name__!~".+_(bucket|sum|created)|.+_retained_wal_bytes"}',
  );
  const found = new Map<string, number>();
  for (const { labels, value } of rows) {
    const { __name__: name = '', instance: _instance, job: _job, ...own } = labels;
    found.set(seriesKey(name, own), value);
  }
  for (const [key, expected] of expectedSeries(run)) {
    checks.equal(found.get(key), expected, `${key} is ${expected}`);
    found.delete(key);
  }
  checks.equal([...found.keys()].sort(), [...MEASURED].sort(), 'and there is no other series of these families');
};

const HISTOGRAMS = {
  wippy_kv_op_duration_seconds: DURATION_SECONDS,
  wippy_sql_op_duration_seconds: DURATION_SECONDS,
  wippy_sql_pool_wait_seconds: DURATION_SECONDS,
  wippy_queue_process_duration_seconds: DURATION_SECONDS,
  wippy_queue_wait_seconds: LIFETIME_SECONDS,
  wippy_cdc_process_duration_seconds: LIFETIME_SECONDS,
};
/** The buckets of the four families: as declared, and every observation within them. */
export const checkHistograms = async (checks: Checks, prometheus: PrometheusServer): Promise<void> => {
  for (const [name, boundaries] of Object.entries(HISTOGRAMS)) {
    const bounds = await prometheus.query(`count by (le) (${name}_bucket)`);
    checks.equal(
      bounds.map(({ labels }) => Number(labels.le?.replace('+Inf', 'Infinity'))).sort((a, b) => a - b),
      [...boundaries, Number.POSITIVE_INFINITY],
      `${name} has its boundaries`,
    );
    const series = await single(prometheus, `count(${name}_count)`);
    const whole = `count(${name}_bucket{le="+Inf"} == ignoring(le) ${name}_count)`;
    checks.equal(await single(prometheus, whole), series, `${name}: all of ${series} series are whole`);
    checks.equal(await single(prometheus, `count(${name}_sum >= 0)`), series, `${name}: and have a sum`);
  }
};

/** Gauges whose value is somebody else's: of the database, or of the clock. */
export const checkMeasured = async (
  checks: Checks,
  prometheus: PrometheusServer,
  { postgres, slot }: Backends,
  [firstRoundBegan, firstRoundEnded]: readonly [number, number],
): Promise<void> => {
  for (const driver of DRIVERS) {
    const age = `wippy_queue_oldest_age_seconds{queue="e2e:backlog.${driver}"}`;
    const published = Number(await single(prometheus, `timestamp(${age}) - ${age}`));
    checks.ok(
      published > firstRoundBegan - SLACK_SECONDS && published < firstRoundEnded + SLACK_SECONDS,
      `${age} is the age of the first round's message`,
      { firstRoundBegan, published, firstRoundEnded },
    );
  }
  const open = await postgres.run<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'e2e-pool' AND datname = current_database()",
  );
  checks.equal(
    await single(prometheus, 'sum(wippy_sql_pool_connections{db="e2e:db.postgres"})'),
    open[0]?.n,
    'the pool has as many connections as the database knows of it',
  );
  let truth: number | undefined;
  let shown: number | string = '';
  // The server goes on writing of its own: at some scrape nothing has come between.
  await poll('the retained log', async () => {
    shown = await single(prometheus, `wippy_cdc_retained_wal_bytes{slot="${slot}"}`);
    const [row] = await postgres.run<{ bytes: number }>(
      'SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 AS bytes FROM pg_replication_slots WHERE slot_name = $1',
      [slot],
    );
    truth = row?.bytes;
    return shown === truth;
  }).catch(() => {}); // the check says what it is
  checks.equal(shown, truth, 'the retained log is what the server says');
};

/** A source whose tables are taken away is degraded and says so: an error a tick, one line an episode. */
export const checkStale = async (checks: Checks, program: Program, { postgres, slot }: Backends): Promise<void> => {
  const errors = async (): Promise<number> => total(await program.scrape(), 'wippy_cdc_errors_total', { slot }) ?? 0;
  const lines = (): number => program.stderr.filter((line) => line.includes('change capture has no tables')).length;
  await postgres.run('CREATE TABLE elsewhere (id integer PRIMARY KEY)');
  const [before, began] = [await errors(), Date.now()];
  await postgres.run(`ALTER PUBLICATION "${slot}_pub" SET TABLE elsewhere`);
  const counted = await poll('three ticks', async () => {
    const now = (await errors()) - before;
    return now >= 3 && now;
  });
  const ticks = (Date.now() - began) / 250;
  checks.ok(counted <= ticks + 1, `without tables there is one error a tick: ${counted} in ${ticks.toFixed(1)}`);
  checks.equal(lines(), 1, 'and one line an episode');
  await postgres.run(`ALTER PUBLICATION "${slot}_pub" SET TABLE items, fragile, outbox`);
  const works = (): number => program.stderr.filter((line) => line.includes('change capture works again')).length;
  await poll('it recovers', () => works() === 2);
  const after = await errors();
  await poll('more ticks', async () => {
    const [row] = await postgres.run<{ ok: boolean }>("SELECT now() > $1::timestamptz + interval '1 s' AS ok", [
      new Date(began + ticks * 250).toISOString(),
    ]);
    return row?.ok;
  });
  checks.equal(await errors(), after, 'with them again there is none');
};
