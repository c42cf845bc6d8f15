import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import type { Test } from 'tap';
import { type App, loadApp } from '../../../boot/app.ts';
import { createProgram, type Program, type ProgramOptions } from '../../../boot/program.ts';
import { HTTP_SERVERS } from '../../../services/http/port.ts';
import { type OtlpCollector, startOtlpCollector } from '../../harness/otlp-collector.ts';
import { poll } from '../../harness/poll.ts';
import { type Exposition, parsePrometheusText, select } from '../../harness/prometheus-text.ts';

/** Every surface there is, once: a request to /all calls a function, writes a store, calls out and publishes. */
export const FIXTURE = {
  '_index.yaml': `version: "1.0"
namespace: app
entries:
  - { name: web, kind: http.service, addr: "127.0.0.1:0", lifecycle: { auto_start: true } }
  - { name: api, kind: http.router, meta: { server: web } }
  - { name: all.endpoint, kind: http.endpoint, meta: { router: api }, method: GET, path: /all, func: all }
  - { name: hello.endpoint, kind: http.endpoint, meta: { router: api }, method: GET, path: /hello, func: hello }
  - { name: slow.endpoint, kind: http.endpoint, meta: { router: api }, method: GET, path: /slow, func: slow }
  - { name: done.endpoint, kind: http.endpoint, meta: { router: api }, method: GET, path: /done, func: done }
  - { name: all, kind: function.lua, source: file://app.lua, method: all, modules: &m [http, funcs, store, queue, http_client, metrics, time] }
  - { name: inner, kind: function.lua, source: file://app.lua, method: inner, modules: *m }
  - { name: hello, kind: function.lua, source: file://app.lua, method: hello, modules: *m }
  - { name: slow, kind: function.lua, source: file://app.lua, method: slow, modules: *m }
  - { name: done, kind: function.lua, source: file://app.lua, method: done, modules: *m }
  - { name: work, kind: function.lua, source: file://app.lua, method: work, modules: *m }
  - { name: kv, kind: store.memory, lifecycle: { auto_start: true } }
  - { name: driver, kind: queue.driver.memory, lifecycle: { auto_start: true } }
  - { name: jobs, kind: queue.queue, driver: driver }
  - { name: worker, kind: queue.consumer, queue: jobs, func: work, lifecycle: { auto_start: true } }
`,
  'app.lua': `
local http, funcs, store, queue, client = require("http"), require("funcs"), require("store"), require("queue"), require("http_client")
local function kv() return assert(store.get("app:kv")) end
return {
  all = function()
    assert(funcs.call("app:inner"))
    assert(client.get("http://" .. http.request():host() .. "/hello"))
    assert(queue.publish("app:jobs", { n = 1 }))
    http.response():write_json({ ok = true })
  end,
  inner = function() require("metrics").counter_inc("app_inner_total"); return true end,
  hello = function() http.response():write_json({ hello = true }) end,
  slow = function() require("time").sleep("1500ms"); http.response():write_json({ slow = true }) end,
  work = function() kv():set("done", true) end,
  done = function() http.response():write_json({ done = kv():get("done") == true }) end,
}`,
};

/** What one program did, as far as anybody can see it from outside. */
export interface Seen {
  /** One word per thing that is there: `span http`, `metric kv`, `line queue` ... */
  readonly words: ReadonlySet<string>;
  readonly metrics: Exposition | undefined;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly collector: OtlpCollector;
}

export const load = (dir: string, sets: readonly string[], overrides: readonly string[] = []): App =>
  loadApp({ dir, configFiles: [], sets, overrides, variables: {} });

export interface Running {
  readonly program: Program;
  /** `127.0.0.1:port` of the app. */
  readonly address: string;
  readonly collector: OtlpCollector;
  readonly lines: () => readonly Readonly<Record<string, unknown>>[];
  scrape(): Promise<Exposition>;
}

const PORT = ['telemetry.enabled=true', 'telemetry.listen=127.0.0.1:0'];

/** A program in this process, with its operations port and its traces at a collector unless `sets` say otherwise. */
export const startFixture = async (
  t: Test,
  sets: readonly string[],
  options: Partial<ProgramOptions> = {},
  overrides: readonly string[] = [],
): Promise<Running> => {
  const collector = await startOtlpCollector();
  t.teardown(() => collector.close());
  const traces = ['otel.enabled=true', `otel.endpoint=${collector.url}`, 'otel.batch.schedule_delay=50ms'];
  const app = load(t.testdir(FIXTURE), [...PORT, ...traces, ...sets], overrides);
  const errors = app.problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const log = new PassThrough();
  let text = '';
  log.on('data', (chunk) => {
    text += String(chunk);
  });
  const build = { version: '0.0.0', revision: '', command: 'test' } as const;
  const program = createProgram({ app, build, variables: {}, logTo: [log], isTerminal: false, ...options });
  t.teardown(() => program.stop());
  await program.start();
  const address = program.use(HTTP_SERVERS).addresses()[0]?.address ?? '';
  return {
    program,
    address,
    collector,
    lines: () =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    async scrape() {
      return parsePrometheusText(await (await fetch(`http://${program.operationsAddress()}/metrics`)).text());
    },
  };
};

const SPANS: readonly (readonly [string, string, string])[] = [
  ['span http', 'GET app:all.endpoint', 'server'],
  ['span client', 'GET', 'client'],
  ['span function', 'app:inner', 'internal'],
  ['span publish', 'app:jobs.publish', 'producer'],
  ['span consume', 'app:work', 'consumer'],
  ['span kv', 'set app:kv', 'internal'],
];
const METRICS: readonly (readonly [string, string])[] = [
  ['metric http', 'http_requests_total'],
  ['metric client', 'http_client_requests_total'],
  ['metric function', 'function_calls'],
  ['metric publish', 'queue_published_total'],
  ['metric consume', 'queue_messages_total'],
  ['metric kv', 'kv_ops_total'],
  ['metric own', 'build_info'],
];

export interface ObserveOptions {
  /** Of the request. */
  readonly headers?: Record<string, string>;
  /** `metrics.namespace`. */
  readonly namespace?: string;
  /** `ns:entry:path=value`. */
  readonly overrides?: readonly string[];
}

/** Runs the fixture with these settings, sends it one request and tells everything that came of it. */
export const observe = async (
  t: Test,
  sets: readonly string[],
  { headers = {}, namespace = 'wippy', overrides = [] }: ObserveOptions = {},
): Promise<Seen> => {
  const { program, address, collector, lines, scrape } = await startFixture(t, sets, {}, overrides);
  const words = new Set<string>();
  const response = await fetch(`http://${address}/all`, { headers });
  if (response.status !== 200) throw new Error(`/all answered ${response.status}: ${await response.text()}`);
  if (response.headers.has('traceparent')) words.add('header traceparent');
  await poll('the consumer is done', async () => {
    const { done } = (await (await fetch(`http://${address}/done`)).json()) as { done: boolean };
    return done;
  });
  let metrics: Exposition | undefined;
  if (program.operationsAddress() !== undefined) {
    words.add('port');
    metrics = await scrape();
    for (const [word, name] of METRICS) if (select(metrics, `${namespace}_${name}`).length > 0) words.add(word);
    if (select(metrics, 'app_inner_total').length > 0) words.add('metric lua');
  }
  await program.stop();
  for (const [word, name, kind] of SPANS) {
    if (collector.spans({ name, kind: kind as 'server' }).length > 0) words.add(word);
  }
  if (collector.metricNames().length > 0) words.add('pushed metrics');
  for (const { msg } of lines()) {
    if (msg === 'request') words.add('line http');
    if (msg === 'message processed') words.add('line queue');
  }
  return { words, metrics, lines: lines(), collector };
};

/** A request whose head is begun now and ended when `finish` is called: such a connection outlives the start of a drain. */
export const begunRequest = async (address: string, path: string): Promise<{ finish(): Promise<string> }> => {
  const [host = '', port] = address.split(':');
  const socket = connect(Number(port), host);
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${address}\r\n`);
  return {
    finish: () =>
      new Promise((resolve, reject) => {
        let text = '';
        socket.on('data', (chunk) => {
          text += String(chunk);
        });
        socket.once('close', () => resolve(text)).once('error', reject);
        socket.write('Connection: close\r\n\r\n');
      }),
  };
};
