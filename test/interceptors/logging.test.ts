import { test } from 'tap';
import { logging } from '../../interceptors/logging.ts';
import { type CallSite, compose, type Interceptor, type LogRecipe, type Next } from '../../runtime/call.ts';
import { rootContext } from '../../runtime/context.ts';
import { notFound } from '../../runtime/errors.ts';
import { TRACE } from '../../runtime/trace.ts';
import { createLogger } from '../../services/log/logger.ts';
import { fakeClock } from '../harness/fake-thread.ts';

const recipe: LogRecipe<string, number> = {
  subsystem: 'http',
  message: 'GET app:hello',
  fields: { endpoint: 'app:hello' },
  line: (outcome) => {
    if (!outcome.ok) return { level: 'error', fields: { error: outcome.error } };
    if (outcome.value === 0) return undefined;
    return { level: outcome.value >= 500 ? 'error' : 'info', fields: { status: outcome.value } };
  },
};
const site: CallSite<string, number> = { surface: 'http.server', operation: 'GET', target: 'app:hello', log: recipe };

const bench = (level: 'debug' | 'warn' = 'debug') => {
  const clock = fakeClock();
  const texts: string[] = [];
  const logger = createLogger({
    level,
    encoding: 'json',
    clock,
    destinations: [{ write: (line: string) => texts.push(line) }],
  });
  const wrap = (next: Next<string, number>, at = site) => logging(logger, clock).wrap(next, at);
  return { clock, wrap, lines: () => texts.map((text) => JSON.parse(text)) };
};
const call = { input: 'x', context: rootContext };

test('rule 118: one line per outcome, with the fields of site and outcome and the time it took', async (t) => {
  const { clock, wrap, lines } = bench();
  const wrapped = wrap(() => {
    clock.advance(12.345);
    return 200;
  });
  t.equal(wrapped(call), 200, 'a synchronous core makes no promise');
  t.equal(lines().length, 1);
  t.match(lines()[0], {
    level: 'info',
    subsystem: 'http',
    msg: 'GET app:hello',
    endpoint: 'app:hello',
    status: 200,
    duration_ms: 12.3,
  });
  wrap(() => 503)(call);
  t.match(lines()[1], { level: 'error', status: 503, duration_ms: 0 });
  t.equal(lines().length, 2);
});

test('rule 118: an asynchronous call has its line when it has ended, not before', async (t) => {
  const { clock, wrap, lines } = bench();
  let end: (status: number) => void = () => {};
  const out = wrap(() => new Promise<number>((resolve) => (end = resolve)))(call);
  t.same(lines(), []);
  clock.advance(1000);
  end(201);
  t.equal(await out, 201);
  t.match(lines(), [{ status: 201, duration_ms: 1000 }]);
});

test('failures have one line and rise unchanged', async (t) => {
  const { wrap, lines } = bench();
  const error = notFound('no such order');
  t.throws(
    () =>
      wrap(() => {
        throw error;
      })(call),
    error,
  );
  await t.rejects(Promise.resolve(wrap(() => Promise.reject(error))(call)), error);
  t.match(lines(), [
    { level: 'error', error: { kind: 'NotFound', message: 'no such order' } },
    { level: 'error', error: { kind: 'NotFound' } },
  ]);
  t.equal(lines().length, 2);
});

test('nothing is written where the recipe says so or the level is off, and a site without recipe keeps its function', async (t) => {
  const { wrap, lines } = bench('warn');
  wrap(() => 200)(call); // info
  wrap(() => 0)(call); // the recipe has no line for it
  t.same(lines(), []);
  wrap(() => 500)(call);
  t.equal(lines().length, 1, 'but an error is');
  let isBuilt = false;
  const costly = {
    get all() {
      isBuilt = true;
      return 'fields';
    },
  };
  for (const level of ['info', 'error'] as const) {
    wrap(() => 200, { ...site, log: { ...recipe, line: () => ({ level, fields: costly }) } })(call);
    t.equal(isBuilt, level === 'error', 'fields are read only for a line that is written');
  }
  const next: Next<string, number> = () => 1;
  t.equal(wrap(next, { ...site, log: undefined }), next);
});

test('rule 81: the level changes neither the number of calls nor their trace', async (t) => {
  const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, isRemote: false };
  const tracing: Interceptor = {
    name: 'tracing',
    order: 100,
    wrap: (next) => (outer) => next({ ...outer, context: outer.context.with(TRACE, trace) }),
  };
  for (const level of ['debug', 'warn'] as const) {
    const clock = fakeClock();
    const texts: string[] = [];
    const destination = { write: (line: string) => texts.push(line) };
    const logger = createLogger({ level, encoding: 'json', clock, destinations: [destination] });
    const seen: unknown[] = [];
    const run = compose([logging(logger, clock), tracing])(site, (one) => {
      seen.push(one.context.get(TRACE));
      return 200;
    });
    t.equal(run(call), 200);
    t.same(seen, [trace]);
    const expected = { trace_id: trace.traceId, span_id: trace.spanId };
    t.match(
      texts.map((text) => JSON.parse(text)),
      level === 'debug' ? [expected] : [],
    );
    t.equal(texts.length, level === 'debug' ? 1 : 0);
  }
});

test('a recipe that fails costs its line, not the call', async (t) => {
  const { wrap, lines } = bench();
  const broken: LogRecipe<string, number> = {
    ...recipe,
    line: () => {
      throw new Error('no status');
    },
  };
  t.equal(wrap(() => 200, { ...site, log: broken })(call), 200);
  t.match(lines(), [{ level: 'error', error: { message: 'no status' } }]);
});
