/** The real program, scraped by a real Prometheus. Exit code 3: Prometheus, PostgreSQL or Redis is not installed. */
import { poll } from '../harness/poll.ts';
import { startProgram } from '../harness/program.ts';
import { checkMetrics, PROMETHEUS_MISSING, type PrometheusServer, startPrometheus } from '../harness/prometheus.ts';
import { total } from '../harness/prometheus-text.ts';
import { startServers } from './backends.ts';
import { CannotRun, type Checks, runChecks } from './checks.ts';
import { CHANGES_PER_ROUND, DATA_SECRET, DATA_STEPS } from './data-steps.ts';
import {
  checkCut,
  checkHeld,
  checkHistograms,
  checkMeasured,
  checkSeries,
  checkStale,
  single,
} from './prometheus-data.ts';
import { deliveriesOf, STEPS, send } from './scenario.ts';

const ALL_STEPS = [...STEPS, ...DATA_STEPS];
/** Of data/changes.lua: a handler that is a function is called for each, but the one that goes to a queue. */
const HANDLED_PER_ROUND = CHANGES_PER_ROUND - 1;
const CALLS_PER_ROUND = 18 + DATA_STEPS.length + deliveriesOf(DATA_STEPS) + HANDLED_PER_ROUND;

const ROUNDS = 3;

/** Lint lines that follow from names which are public API (telemetry.md, section 1); any other line is a failure. */
const ALLOWED_LINT = [
  /^wippy_function_calls counter metrics should have "_total" suffix$/,
  /^nodejs_active_\w+_total non-counter metrics should not have "_total" suffix$/,
];

const route = (name: string, method: string, status: number): string =>
  `wippy_http_requests_total{route="${name}",method="${method}",status="${status}"}`;
const called = (id: string, status: string): string =>
  `wippy_function_calls{function_id="e2e:${id}",status="${status}"}`;

/** What one round of STEPS counts. /hello is called once by its own step, once by /out and once by /pub's consumer. */
const PER_ROUND: Readonly<Record<string, number>> = {
  [route('e2e:hello.endpoint', 'GET', 200)]: 3,
  [route('e2e:stats.endpoint', 'GET', 200)]: 1,
  [route('e2e:kv_set.endpoint', 'PUT', 204)]: 1,
  [route('e2e:kv_get.endpoint', 'GET', 200)]: 1,
  [route('e2e:kv_get.endpoint', 'GET', 404)]: 1,
  [route('e2e:kv_delete.endpoint', 'DELETE', 200)]: 1,
  [route('e2e:pub.endpoint', 'POST', 202)]: 1,
  [route('e2e:out.endpoint', 'GET', 200)]: 2,
  [route('e2e:fail.endpoint', 'GET', 500)]: 1,
  [route('e2e:spawn.endpoint', 'POST', 200)]: 1,
  [route('e2e:events.endpoint', 'POST', 200)]: 1,
  [route('unmatched', 'GET', 404)]: 2,
  [route('unmatched', 'DELETE', 405)]: 1,
  'sum(wippy_http_requests_total)': 17 + DATA_STEPS.length,
  'sum(wippy_http_request_duration_seconds_count)': 17 + DATA_STEPS.length,
  'sum(wippy_http_request_duration_seconds_bucket{le="+Inf"})': 17 + DATA_STEPS.length,
  [called('hello', 'success')]: 3,
  [called('compute', 'success')]: 3,
  [called('work', 'success')]: 1,
  [called('fail', 'error')]: 1,
  // The row of the snapshot is handled once.
  'sum(wippy_function_calls{function_id!="e2e:tick"}) - 1': CALLS_PER_ROUND,
  'sum(wippy_function_duration_count{function_id!="e2e:tick"}) - 1': CALLS_PER_ROUND,
  'sum(wippy_http_client_requests_total{method="GET",status="200"})': 2,
  'sum(wippy_http_client_requests_total{method="GET",status="404"})': 1,
  'sum(wippy_http_client_request_duration_seconds_count)': 3,
  'e2e_computed_total{kind="sum"}': 3,
  wippy_process_started_total: 4,
  'wippy_process_terminated_total{result="completed"}': 3,
  'wippy_process_terminated_total{result="error"}': 1,
  'wippy_process_lifetime_seconds_count{result="completed"}': 3,
  'wippy_process_lifetime_seconds_count{result="error"}': 1,
  'wippy_process_lifetime_seconds_bucket{result="completed",le="+Inf"}': 3,
  'eventbus_events_total{result="delivered",reason="none"}': 2,
  'eventbus_events_total{result="dropped",reason="closed"}': 1,
};

/** Gauges that the steps move, and that are back at 0. */
const DRIVEN = [
  'wippy_http_requests_in_flight',
  'wippy_function_in_flight',
  'wippy_queue_in_flight',
  'wippy_process_active',
  'eventbus_subscribers_active',
];

const checkQueries = async (checks: Checks, prometheus: PrometheusServer): Promise<void> => {
  for (const [expression, perRound] of Object.entries(PER_ROUND)) {
    checks.equal(await single(prometheus, expression), perRound * ROUNDS, `${expression} is ${perRound * ROUNDS}`);
  }
  const inFlight = await prometheus.query(
    '{__name__=~".+_in_flight|.+_(streams|process|subscribers)_active|.+_function_waiting|.+_queue_depth",queue!~"e2e:backlog.+"}',
  );
  for (const name of DRIVEN) {
    checks.ok(
      inFlight.some((row) => row.labels.__name__ === name),
      `${name} was driven`,
    );
  }
  checks.equal(
    inFlight.filter((row) => row.value !== 0),
    [],
    `every one of ${inFlight.length} in-flight gauges is 0`,
  );
  const runs = 'wippy_schedule_runs_total{schedule="e2e:clock",result="success"}';
  checks.equal(
    await single(prometheus, `sum(${runs}) == bool sum(${called('tick', 'success')})`),
    1,
    'the schedule has called its function as often as it has run',
  );
  checks.ok(Number(await single(prometheus, `sum(${runs})`)) > 0, 'and has run');
  checks.equal(await single(prometheus, 'up{job="perilune"}'), 1, 'the target is up');
  checks.equal(await prometheus.lastError(), '', 'the last scrape had no error');
  const build = await prometheus.query('wippy_build_info');
  checks.equal(
    build.map((row) => [row.value, row.labels.command]),
    [[1, 'run']],
    'wippy_build_info is 1 for `run`',
  );
};

const checkLint = async (checks: Checks, operations: string): Promise<void> => {
  const response = await fetch(`${operations}/metrics`);
  checks.ok(
    (response.headers.get('content-type') ?? '').startsWith('text/plain; version=0.0.4'),
    'text 0.0.4 by default',
  );
  const lines = await checkMetrics(checks.scope, await response.text());
  const allowed = lines.filter((line) => ALLOWED_LINT.some((pattern) => pattern.test(line)));
  checks.equal(
    lines.filter((line) => !allowed.includes(line)),
    [],
    'promtool check metrics prints only the allowed lines',
  );
  checks.ok(allowed.length > 0, 'and it does print the line about wippy_function_calls', lines);
};

await runChecks(async (checks) => {
  const servers = await startServers(checks.scope);
  checks.say(servers.description);
  const backends = await servers.backends();
  const program = await startProgram(checks.scope, 'test/e2e/app', { ports: ['E2E_PORT'], env: backends.env });
  const prometheus = await startPrometheus(checks.scope, new URL(program.operations).host);
  if (prometheus === undefined) throw new CannotRun(3, PROMETHEUS_MISSING);
  checks.say(`Prometheus: ${prometheus.url} scrapes ${program.operations}/metrics`);
  await poll('change capture reads', () => program.output().includes('change capture reads'));
  const began = Date.now() / 1000;
  let firstRoundEnded: number | undefined;
  for (let round = 1; round <= ROUNDS; round++) {
    const statuses: number[] = [];
    for (const step of ALL_STEPS) statuses.push(await send(program.url('E2E_PORT'), step));
    firstRoundEnded ??= Date.now() / 1000;
    checks.equal(
      statuses,
      ALL_STEPS.map((step) => step.status),
      `round ${round}: every request answers as it should`,
    );
  }
  await poll('every message and every change is handled', async () => {
    const metrics = await program.scrape();
    return (
      total(metrics, 'wippy_queue_messages_total') === ROUNDS * deliveriesOf(ALL_STEPS) &&
      total(metrics, 'wippy_cdc_process_duration_seconds_count') === 1 + ROUNDS * CHANGES_PER_ROUND
    );
  });
  await prometheus.scraped();
  await checkQueries(checks, prometheus);
  await checkHeld(checks, prometheus, program, backends);
  await checkCut(checks, prometheus, program, backends);
  await checkSeries(checks, prometheus, { rounds: ROUNDS, slot: backends.slot, held: 1, cuts: 1 });
  await checkHistograms(checks, prometheus);
  await checkMeasured(checks, prometheus, backends, [began, firstRoundEnded ?? began]);
  await checkStale(checks, program, backends);
  await checkLint(checks, program.operations);
  const text = await (await fetch(`${program.operations}/metrics`)).text();
  checks.ok(!DATA_SECRET.test(text), 'no series shows a key, a value, a row, a parameter or a statement');
  const exit = await program.stop();
  checks.equal(
    { code: exit.code, signal: exit.signal },
    { code: 0, signal: null },
    'the program ends cleanly on SIGTERM',
  );
});
