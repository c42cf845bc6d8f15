/**
 * The real program, its OTLP spans read back from a real Jaeger (BACKEND=jaeger, the default) or from the test harness's
 * own collector (BACKEND=harness). Exit code 3: no Jaeger, PostgreSQL or Redis is to be had on this machine.
 */
import { randomBytes } from 'node:crypto';
import type { ReadSpan } from '../harness/otlp-spans.ts';
import { poll } from '../harness/poll.ts';
import { type Program, startProgram } from '../harness/program.ts';
import { total } from '../harness/prometheus-text.ts';
import { spanTrees } from '../harness/span-tree.ts';
import { type Backends, startServers } from './backends.ts';
import { type Checks, runChecks } from './checks.ts';
import { CHANGES_PER_ROUND, DATA_SECRET, DATA_STEPS, OWN } from './data-steps.ts';
import { checkChangeSpans, checkChanges, checkDataAttributes, checkDeliveries } from './otel-data.ts';
import { deliveriesOf, SCHEDULED, SECRETS, STEPS, type Step, send } from './scenario.ts';
import { type SpanBackend, startSpanBackend } from './span-backend.ts';

const PROCESSED = 'wippy_cdc_process_duration_seconds_count';

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
const spanCount = (tree: string): number => tree.split('\n').length;

/** The spans of the trace that holds `name`; the first such trace by arrival. */
const traceWith = (spans: readonly ReadSpan[], name: string): readonly ReadSpan[] => {
  const traceId = spans.find((span) => span.name === name)?.traceId;
  return spans.filter((span) => span.traceId === traceId);
};
const pick = (spans: readonly ReadSpan[], kind: ReadSpan['kind'], name: string): ReadSpan => {
  const found = spans.find((span) => span.kind === kind && span.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} span '${name}'`);
  return found;
};
/** The attributes of `span` that `expected` names, for one readable comparison. */
const named = (span: ReadSpan, expected: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.keys(expected).map((key) => [key, span.attributes[key]]));

const checkAttributes = (checks: Checks, spans: readonly ReadSpan[], port: number): void => {
  const same = (span: ReadSpan, expected: Readonly<Record<string, unknown>>, title: string): void =>
    checks.equal(named(span, expected), expected, title);
  const hello = traceWith(spans, 'GET e2e:hello.endpoint');
  const server = pick(hello, 'server', 'GET e2e:hello.endpoint');
  const http = {
    'http.request.method': 'GET',
    'http.route': '/hello',
    'url.path': '/hello',
    'url.scheme': 'http',
    'server.address': '127.0.0.1',
    'server.port': port,
    'http.response.status_code': 200,
    'client.address': '127.0.0.1',
    'network.protocol.version': '1.1',
  };
  same(server, http, 'a server span carries the stable HTTP attributes');
  const called = pick(hello, 'internal', 'e2e:hello');
  same(called, { 'faas.name': 'e2e:hello' }, 'a function span names its function');
  checks.ok(
    typeof called.attributes['code.function.name'] === 'string' &&
      String(called.attributes['code.file.path']).endsWith('hello.lua'),
    'a function span names its code',
    called.attributes,
  );
  same(pick(spans, 'server', 'PUT e2e:kv_set.endpoint'), { 'http.route': '/kv/{key}' }, 'http.route is the template');

  const published = traceWith(spans, 'e2e:jobs.publish');
  const producer = pick(published, 'producer', 'e2e:jobs.publish');
  const consumer = pick(published, 'consumer', 'e2e:work');
  const id = producer.attributes['messaging.message.id'];
  checks.ok(typeof id === 'string' && id !== '', 'a message has an id', producer.attributes);
  const messaging = { 'messaging.system': producer.attributes['messaging.system'], 'messaging.message.id': id };
  same(
    producer,
    { ...messaging, 'messaging.operation.name': 'publish', 'messaging.operation.type': 'send' },
    'a producer span carries messaging.*',
  );
  same(consumer, { ...messaging, 'messaging.operation.type': 'process' }, 'the consumer span has the same message id');
  checks.ok(
    typeof messaging['messaging.system'] === 'string' &&
      producer.attributes['messaging.destination.name'] === consumer.attributes['messaging.destination.name'] &&
      producer.attributes['messaging.destination.name'] !== undefined,
    'both name the system and the destination',
    producer.attributes,
  );

  const client = pick(published, 'client', 'GET');
  const out = { 'http.request.method': 'GET', 'server.address': '127.0.0.1', 'server.port': port };
  same(client, { ...out, 'http.response.status_code': 200 }, 'a client span carries the stable HTTP attributes');
  const refused = spans.filter((span) => span.kind === 'client' && span.status === 'error');
  checks.equal(
    refused.map((span) => [span.attributes['http.response.status_code'], span.attributes['error.type']]),
    refused.map(() => [404, '404']),
    'a client span of a 404 is an error with its type',
  );
};

const checkFailure = (checks: Checks, spans: readonly ReadSpan[]): void => {
  const trace = traceWith(spans, 'e2e:fail');
  const failed = pick(trace, 'internal', 'e2e:fail');
  checks.equal(failed.attributes['error.type'], 'Internal', 'a failed function sets error.type to the kind');
  const exceptions = trace.flatMap((span) => span.events.filter((event) => event.name === 'exception'));
  checks.equal(exceptions.length, 1, 'one exception is recorded once while it rises');
  const attributes = exceptions[0]?.attributes ?? {};
  checks.ok(
    String(attributes['exception.message']).includes('broken on purpose') &&
      typeof attributes['exception.type'] === 'string' &&
      /fail\.lua:2|fail:2/.test(String(attributes['exception.stacktrace'])),
    'the exception has type, message and the Lua traceback with file and line',
    attributes,
  );
  const server = pick(trace, 'server', 'GET e2e:fail.endpoint');
  checks.equal(server.attributes['http.response.status_code'], 500, 'the server span has the status code');
  const missing = spans.filter(
    (span) => span.kind === 'server' && span.attributes['http.response.status_code'] === 404,
  );
  checks.ok(
    missing.length > 0 && missing.every((span) => span.status === 'unset'),
    'a server span of a 404 is unset',
    missing.map((span) => span.status),
  );
};

const checkProcesses = (checks: Checks, spans: readonly ReadSpan[]): void => {
  const idOf = ({ traceId, spanId }: { traceId: string; spanId: string }): string => `${traceId}/${spanId}`;
  const linksOf = (span: ReadSpan): readonly string[] => span.links.map(idOf);
  const pidOf = (span: ReadSpan): unknown => span.attributes['lua.process.id'];
  const trace = traceWith(spans, 'e2e:spawn');
  const spawner = pick(trace, 'internal', 'e2e:spawn');
  const starts = trace.filter(({ name }) => name === 'e2e:child.started');
  const lives = spans.filter((span) => span.name === 'e2e:child' && linksOf(span).includes(idOf(spawner)));
  checks.equal(
    lives.map(pidOf).sort(),
    starts.map(pidOf).sort(),
    'every process that a request starts has a long span with a link to the spawner',
  );
  checks.equal(
    new Set([...lives, spawner].map(({ traceId }) => traceId)).size,
    starts.length + 1,
    'which is a trace of its own',
  );

  const cancel = pick(trace, 'internal', 'e2e:child.cancel');
  checks.equal(cancel.attributes['termination.reason'], 'no longer needed', 'a cancel says its reason');
  const cancelled = lives.filter((span) => linksOf(span).includes(idOf(cancel)));
  checks.equal(cancelled.map(pidOf), [pidOf(cancel)], "and the cancelled process's long span links to it");

  const reasons = spans
    .filter(({ name, traceId }) => name === 'e2e:child.terminated' && lives.some((life) => life.traceId === traceId))
    .map((span) => String(span.attributes['termination.reason']));
  checks.equal(
    reasons.sort(),
    ['base/child.lua:10: failed on purpose', 'completed', 'completed', 'completed'],
    'each end says its reason',
  );
  const failed = lives.filter(({ status }) => status === 'error');
  checks.equal(
    failed.flatMap(({ events }) => events.map(({ name, attributes }) => [name, attributes['exception.message']])),
    [['exception', 'base/child.lua:10: failed on purpose']],
    'a process that fails has the exception on its long span',
  );
  const summed = spans.filter(
    ({ name, traceId }) => name === 'e2e:compute' && lives.some((life) => life.traceId === traceId),
  );
  checks.equal(summed.map(linksOf), [[idOf(spawner)]], 'what a process does for a message links to its sender');
};

const checkResource = (checks: Checks, spans: readonly ReadSpan[], service: string, pid: number): void => {
  const resources = new Set(spans.map((span) => JSON.stringify(Object.entries(span.resource).sort())));
  checks.equal(resources.size, 1, 'all spans carry one resource');
  const resource = spans[0]?.resource ?? {};
  const expected = {
    'service.name': service,
    'service.version': '1.2.3',
    'deployment.environment.name': 'e2e',
    'process.pid': pid,
    'process.runtime.name': 'nodejs',
    'telemetry.sdk.language': 'nodejs',
  };
  checks.equal(
    Object.fromEntries(Object.keys(expected).map((key) => [key, resource[key]])),
    expected,
    'the resource says what runs, also from OTEL_RESOURCE_ATTRIBUTES',
  );
  for (const key of [
    'service.instance.id',
    'host.name',
    'os.type',
    'process.runtime.version',
    'telemetry.sdk.version',
  ]) {
    checks.ok(typeof resource[key] === 'string' && resource[key] !== '', `the resource has ${key}`, resource);
  }
};

interface Observed {
  readonly spans: readonly ReadSpan[];
  readonly program: Program;
  /** The expected trees of the traces that a caller began, by their id. */
  readonly callers: ReadonlyMap<string, string>;
  readonly service: string;
}

/** Runs the program on the steps and reads its spans back. `rounds`: as roots, and then as parts of a caller's trace. */
const observe = async (
  checks: Checks,
  backend: SpanBackend,
  { env }: Backends,
  run: { readonly steps: readonly Step[]; readonly rounds: 1 | 2; readonly spans: boolean },
): Promise<Observed> => {
  const service = `perilune-e2e-${hex(4)}`;
  const program = await startProgram(checks.scope, 'test/e2e/app', {
    ports: ['E2E_PORT'],
    set: {
      'otel.enabled': true,
      'otel.endpoint': backend.otlpUrl,
      'otel.service_name': service,
      ...(run.spans && { 'otel.kv.spans': true, 'otel.sql.spans': true, 'otel.cdc.spans': true }),
    },
    env: { ...env, OTEL_SERVICE_VERSION: '1.2.3', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=e2e' },
  });
  const base = program.url('E2E_PORT');
  const treeOf = (step: Step): string => (run.spans ? step.spanned : undefined) ?? step.tree;
  const startedOf = (step: Pick<Step, 'started' | 'spannedStarted'>): readonly string[] =>
    (run.spans ? step.spannedStarted : undefined) ?? step.started ?? [];

  // What the program does of itself first: the marks of transactions begin when change capture reads.
  await poll('the snapshot is handled', async () => total(await program.scrape(), PROCESSED, { result: 'ok' }) === 1);
  await poll('change capture reads', () => program.output().includes('change capture reads'));
  const callers = new Map<string, string>();
  for (const step of run.steps) {
    checks.equal(await send(base, step), step.status, `${step.method} ${step.path} answers ${step.status}`);
    if (run.rounds === 1) continue;
    const traceId = hex(16);
    await send(base, step, { traceparent: `00-${traceId}-${hex(8)}-01` });
    callers.set(traceId, `(remote)\n${treeOf(step).replaceAll(/^/gm, '  ')}`);
  }
  await poll('every message and every change is handled', async () => {
    const metrics = await program.scrape();
    const messages = total(metrics, 'wippy_queue_messages_total');
    const changes = total(metrics, PROCESSED);
    return messages === run.rounds * deliveriesOf(run.steps) && changes === 1 + run.rounds * CHANGES_PER_ROUND;
  });
  const exit = await program.stop();
  checks.equal({ code: exit.code, signal: exit.signal }, { code: 0, signal: null }, 'ends cleanly on SIGTERM');

  const started = run.steps.flatMap(startedOf);
  const ownStarted = [...Array.from({ length: run.rounds }, () => started).flat(), ...startedOf(OWN)];
  const inRequests = run.steps.reduce((sum, step) => sum + spanCount(treeOf(step)), 0);
  const expectedSpans = run.rounds * inRequests + ownStarted.reduce((sum, tree) => sum + spanCount(tree), 0);
  let spans: readonly ReadSpan[] = [];
  let scheduled: readonly ReadSpan[] = [];
  await poll(`${expectedSpans} spans in ${backend.name}`, async () => {
    const all = await backend.spans(service);
    const runs = new Set(all.filter(({ name }) => name === SCHEDULED.root).map(({ traceId }) => traceId));
    spans = all.filter(({ traceId }) => !runs.has(traceId));
    scheduled = all.filter(({ traceId }) => runs.has(traceId));
    return spans.length >= expectedSpans;
  }).catch((error: unknown) => checks.say(`# ${error instanceof Error ? error.message : String(error)}`));
  checks.equal(
    [...new Set(spanTrees(scheduled).values())],
    [SCHEDULED.tree],
    'each run of the schedule is a trace of its own',
  );
  const trees = spanTrees(spans);
  const roots = [...trees].filter(([traceId]) => !callers.has(traceId)).map(([, tree]) => tree);
  checks.equal(
    roots.sort(),
    [...run.steps.map(treeOf), ...ownStarted].sort(),
    `${backend.name} holds exactly the traces of the requests`,
  );
  for (const [traceId, tree] of callers) {
    checks.equal(trees.get(traceId), tree, `one trace from the caller on: ${tree.split('\n')[1]?.trim()}`);
  }
  return { spans, program, callers, service };
};

const checkSecrets = (checks: Checks, { spans, program }: Observed): void => {
  const everything = JSON.stringify(spans) + program.output();
  for (const [what, secret] of Object.entries(SECRETS)) {
    checks.ok(!everything.includes(secret), `no span and no log line shows the ${what}`);
  }
  const found = everything.search(DATA_SECRET);
  const context = found < 0 ? '' : everything.slice(Math.max(0, found - 200), found + 50);
  checks.equal(context, '', 'nor a key, a value, a row, a parameter or a statement');
  checks.ok(everything.includes('e2e:put'), 'and the spans that were searched do show the function');
};

await runChecks(async (checks) => {
  const backend = await startSpanBackend(checks.scope, checks.say);
  const servers = await startServers(checks.scope);
  checks.say(servers.description);

  const plain = await servers.backends();
  const steps = [...STEPS, ...DATA_STEPS];
  const seen = await observe(checks, backend, plain, { steps, rounds: 2, spans: false });
  checkAttributes(checks, seen.spans, Number(new URL(seen.program.url('E2E_PORT')).port));
  checkFailure(checks, seen.spans);
  checkProcesses(checks, seen.spans);
  checkDeliveries(checks, seen.spans);
  checkChanges(checks, seen.spans, plain);
  checkResource(checks, seen.spans, seen.service, seen.program.pid);
  checkSecrets(checks, seen);

  checks.say('# with otel.kv.spans, otel.sql.spans and otel.cdc.spans');
  const own = await servers.backends();
  const spanned = await observe(checks, backend, own, { steps: DATA_STEPS, rounds: 1, spans: true });
  checkDataAttributes(checks, spanned.spans, own);
  checkChanges(checks, spanned.spans, own);
  checkChangeSpans(checks, spanned.spans, own);
  checkSecrets(checks, spanned);
});
