import { t as root, type Test, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import type { Tracer } from '../../../runtime/trace.ts';
import { poll } from '../../harness/poll.ts';
import { total } from '../../harness/prometheus-text.ts';
import { begunRequest, FIXTURE, load, startFixture } from './observe.ts';

root.setTimeout(600_000);

/** A program whose spans take ten seconds to begin, on a clock that jumps: who is outside of tracing sees it. */
const slowTracing = async (t: Test, sets: readonly string[]) => {
  const real = systemClock();
  let ahead = 0;
  const wrapTracer = (tracer: Tracer): Tracer => ({
    site(recipe) {
      const site = tracer.site(recipe);
      return {
        start(context, detail) {
          ahead += 10_000;
          return site.start(context, detail);
        },
      };
    },
  });
  const running = await startFixture(t, sets, { clock: { ...real, now: () => real.now() + ahead }, wrapTracer });
  await (await fetch(`http://${running.address}/hello`)).text();
  const metrics = await running.scrape();
  const seconds = (name: string, labels: Record<string, string>) =>
    total(metrics, `wippy_${name}_sum`, labels) ?? Number.NaN;
  const line = await poll('the line', () => running.lines().find(({ msg }) => msg === 'request'));
  return {
    http: seconds('http_request_duration_seconds', { route: 'app:hello.endpoint' }),
    func: seconds('function_duration', { function_id: 'app:hello' }),
    lineMs: Number(line.duration_ms),
    hasTrace: typeof line.trace_id === 'string',
  };
};

test('rules 47, 52: by default metrics (50) is outside of tracing (100), and logging (120) inside of both', async (t) => {
  const { http, func, lineMs, hasTrace } = await slowTracing(t, []);
  t.ok(http >= 20, `an HTTP site times its span and that of the function: ${http}`);
  t.ok(func >= 10, `a function site times its span: ${func}`);
  t.ok(lineMs >= 10_000 && lineMs < 20_000, `the line times the function's span, not that of the request: ${lineMs}`);
  t.ok(hasTrace);
});

test('rule 47: swapping metrics and tracing in the boot file swaps them', async (t) => {
  const { http, func } = await slowTracing(t, ['metrics.interceptor.order=100', 'otel.interceptor.order=50']);
  t.ok(http >= 10 && http < 20, `an HTTP site no longer times its own span: ${http}`);
  t.ok(func < 10, `nor does a function site: ${func}`);
});

test('rule 47: logging outside of tracing times its span and knows no trace', async (t) => {
  const { lineMs, hasTrace } = await slowTracing(t, ['interceptors.logging.order=90']);
  t.ok(lineMs >= 20_000, `${lineMs}`);
  t.notOk(hasTrace);
});

/** Asks for /hello while the program drains: the answer, and how often the route was counted. */
const askWhileDraining = async (t: Test, sets: readonly string[]) => {
  const { program, address, scrape } = await startFixture(t, sets);
  const late = await begunRequest(address, '/hello');
  const slow = fetch(`http://${address}/slow`).then(({ status }) => status);
  await poll(
    'the slow request runs',
    async () => total(await scrape(), 'wippy_http_requests_in_flight', { route: 'app:slow.endpoint' }) === 1,
  );
  const stopping = program.stop();
  const answer = await late.finish();
  const counted = total(await scrape(), 'wippy_http_requests_total', { route: 'app:hello.endpoint' }) ?? 0;
  t.equal(await slow, 200, 'what ran has ended');
  t.equal(await stopping, true);
  return { answer, counted };
};

test('rule 47: guard (10) refuses new requests while the program drains, before they are counted', async (t) => {
  const { answer, counted } = await askWhileDraining(t, []);
  t.match(answer, /^HTTP\/1\.1 503 .*draining/s);
  t.equal(counted, 0);
});

test('rule 47: guard inside of metrics: what it refuses is counted', async (t) => {
  const { answer, counted } = await askWhileDraining(t, ['interceptors.guard.order=60']);
  t.match(answer, /^HTTP\/1\.1 503 /);
  t.equal(counted, 1);
});

test('rule 51: without the guard the request is served', async (t) => {
  const { answer, counted } = await askWhileDraining(t, ['interceptors.guard.enabled=false']);
  t.match(answer, /^HTTP\/1\.1 200 /);
  t.equal(counted, 1);
});

test('rule 47: a tie is an error that names both and the keys; a disabled interceptor ties with nobody', async (t) => {
  const dir = t.testdir(FIXTURE);
  for (const [sets, one, other] of [
    [['metrics.interceptor.order=100'], 'metrics', 'tracing'],
    [['interceptors.guard.order=120'], 'guard', 'logging'],
    [['interceptors.retry.order=30'], 'retry', 'timeout'],
    [['otel.interceptor.order=10', 'otel.enabled=true'], 'guard', 'tracing'],
  ] as const) {
    const { problems } = load(dir, ['otel.enabled=true', ...sets]);
    t.equal(problems.length, 1, sets[0]);
    t.equal(problems[0]?.severity, 'error');
    t.match(problems[0]?.message, new RegExp(`'(${one}|${other})' and '(${one}|${other})' both have order`));
  }
  t.same(load(dir, ['metrics.interceptor.order=120', 'interceptors.logging.enabled=false']).problems, []);
});
