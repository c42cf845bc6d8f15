import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import tap, { test } from 'tap';
import { loadApp } from '../../../boot/app.ts';
import { createProgram, type Program } from '../../../boot/program.ts';
import { type Cancel, type Clock, systemClock } from '../../../runtime/clock.ts';
import { HTTP_SERVERS } from '../../../services/http/port.ts';
import { poll } from '../../harness/poll.ts';
import { parsePrometheusText, total } from '../../harness/prometheus-text.ts';
import { LAB, startCollector } from './lab.ts';

const folder = fileURLToPath(new URL(`../../../${LAB}`, import.meta.url));

interface Made {
  readonly program: Program;
  /** The messages of its log, in order. */
  readonly messages: readonly string[];
}

/** A program in this process, that is not started. */
const make = (sets: readonly string[] = [], variables: Record<string, string> = {}, clock?: Clock): Made => {
  const app = loadApp({
    dir: folder,
    configFiles: [],
    sets: ['telemetry.enabled=true', 'telemetry.listen=127.0.0.1:0', ...sets],
    overrides: [],
    variables,
  });
  const messages: string[] = [];
  const program = createProgram({
    app,
    build: { version: '0.0.0', revision: '', command: 'embed' },
    variables,
    logTo: [{ write: (line) => messages.push(String(JSON.parse(line).msg)) }],
    isTerminal: false,
    clock,
  });
  tap.teardown(() => program.stop());
  return { program, messages };
};

const get = async (url: string): Promise<string> => {
  // A kept connection would be counted among the program's.
  const response = await fetch(url, { headers: { connection: 'close' } });
  return response.text();
};
const serviceOf = (program: Program): string => `http://${program.use(HTTP_SERVERS).addresses()[0]?.address}`;
const scrape = async (program: Program) =>
  parsePrometheusText(await get(`http://${program.operationsAddress()}/metrics`));

test('rule 129: two programs in one process keep their own numbers, traces and logs', async (t) => {
  const [one, two] = await Promise.all([startCollector(t), startCollector(t)]);
  const traced = (url: string): string[] => ['otel.enabled=true', `otel.endpoint=${url}`];
  const first = make([...traced(one.url), 'otel.service_name=first']);
  const second = make([...traced(two.url), 'otel.service_name=second', 'metrics.namespace=other']);
  await Promise.all([first.program.start(), second.program.start()]);
  await get(`${serviceOf(first.program)}/hello`);
  for (let i = 0; i < 3; i++) await get(`${serviceOf(second.program)}/hello`);
  t.equal(total(await scrape(first.program), 'wippy_http_requests_total'), 1);
  t.equal(total(await scrape(second.program), 'other_http_requests_total'), 3);
  t.equal(total(await scrape(second.program), 'wippy_http_requests_total'), undefined);
  t.same(await Promise.all([first.program.stop(), second.program.stop()]), [true, true]);
  const services = (spans: ReturnType<typeof one.spans>): readonly unknown[] =>
    spans.map(({ resource }) => resource['service.name']);
  t.same(services(one.spans()), ['first', 'first']);
  t.same(
    services(two.spans()),
    Array.from({ length: 6 }, () => 'second'),
  );
  const requests = ({ messages }: Made): number => messages.filter((message) => message === 'request').length;
  t.same([requests(first), requests(second)], [1, 3]);
});

test('rules 95, 110: stop without a start, after a failed one, and twice; a second start is an error', async (t) => {
  t.equal(await make().program.stop(), true, 'there is nothing to stop');

  const { program } = make();
  await program.start();
  t.throws(() => program.start(), /started already/);
  const base = serviceOf(program);
  t.match(await get(`${base}/hello`), /hello/);
  const [first, again] = [program.stop(), program.stop()];
  t.equal(first, again);
  t.equal(await first, true);
  t.equal(await program.stop(), true);
  await t.rejects(get(`${base}/hello`), 'and it has stopped');

  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  for (const failing of [make([], { LAB_PORT: String(port) }), make([`telemetry.listen=127.0.0.1:${port}`])]) {
    await t.rejects(failing.program.start(), /is in use/);
    const began = performance.now();
    t.equal(await failing.program.stop(), true);
    t.ok(performance.now() - began < 8000, 'at once: half of the ten seconds that a component may take');
  }
});

test('rule 109: a stop during the start ends both', async (t) => {
  const { program } = make();
  const started = program.start();
  const stopped = program.stop();
  await started;
  t.equal(await stopped, true);
  t.same(program.use(HTTP_SERVERS).addresses(), [], 'nothing listens');
});

/** The system's clock, and how many of its timers have neither fired nor been cancelled: those that keep nothing alive as well. */
const countingClock = (): { clock: Clock; pending: () => number } => {
  const system = systemClock();
  const timers = new Set<object>();
  const counted = (isOnce: boolean, start: (body: () => void) => Cancel, body: () => void): Cancel => {
    const timer = {};
    timers.add(timer);
    const cancel = start(() => {
      if (isOnce) timers.delete(timer);
      body();
    });
    return () => {
      timers.delete(timer);
      cancel();
    };
  };
  return {
    clock: {
      now: () => system.now(),
      wall: () => system.wall(),
      systemTime: () => system.systemTime(),
      after: (ms, body, options) => counted(true, (once) => system.after(ms, once, options), body),
      every: (ms, body, options) => counted(false, (tick) => system.every(ms, tick, options), body),
    },
    pending: () => timers.size,
  };
};

/** What a program could leave behind. Closed handles are listed until they are collected, so only timers are counted there. */
const left = () => ({
  fds: readdirSync('/proc/self/fd').length,
  timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
  listeners: ['SIGTERM', 'SIGINT', 'exit', 'uncaughtException', 'warning'].map((name) => process.listenerCount(name)),
});

test('rule 111: ten starts and stops leave no fd, no timer and no listener', async (t) => {
  const collector = await startCollector(t);
  const { clock, pending } = countingClock();
  const sets = ['otel.enabled=true', `otel.endpoint=${collector.url}`, 'otel.metrics_enabled=true'];
  const cycle = async () => {
    const { program } = make(sets, {}, clock);
    await program.start();
    const base = serviceOf(program);
    await get(`${base}/out/hello`);
    await fetch(`${base}/jobs`, { method: 'POST', body: '{"sleep":"1ms"}', headers: { connection: 'close' } });
    const slow = get(`${base}/slow?for=100ms`);
    await poll('it waits', async () => (total(await scrape(program), 'wippy_http_requests_in_flight') ?? 0) > 0);
    const running = { ...left(), pending: pending() };
    await slow;
    t.equal(await program.stop(), true);
    t.equal(pending(), 0);
    return running;
  };
  await cycle(); // what is loaded once is no leak
  let before = left();
  await poll(
    'the first cycle is over',
    () => {
      const last = before;
      before = left();
      return before.fds === last.fds && before.timers === last.timers;
    },
    { everyMs: 200 },
  );
  for (let i = 0; i < 10; i++) {
    const running = await cycle();
    t.ok(running.fds > before.fds && running.pending > 0, 'a running program has some');
  }
  const isClean = (now: ReturnType<typeof left>): boolean => now.fds <= before.fds && now.timers <= before.timers;
  await poll('all are given back', () => isClean(left())).catch(() => {});
  const after = left();
  t.ok(isClean(after), JSON.stringify({ before, after }));
  t.same(after.listeners, before.listeners);
});
