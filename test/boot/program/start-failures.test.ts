import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { runChild } from '../../harness/child.ts';
import { poll } from '../../harness/poll.ts';
import { startProgram } from '../../harness/program.ts';
import type { Scope } from '../../harness/teardown.ts';

const bin = fileURLToPath(new URL('../../../bin/perilune.js', import.meta.url));

const INDEX = `version: "1.0"
namespace: app
entries:
  - name: web
    kind: http.service
    addr: "127.0.0.1:\${WEB_PORT|0}"
    lifecycle: { auto_start: true }
  - { name: api, kind: http.router, meta: { server: web } }
  - { name: hello.endpoint, kind: http.endpoint, meta: { router: api }, method: GET, path: /hello, func: hello }
  - { name: hello, kind: function.lua, source: file://hello.lua, method: main, modules: [http] }
`;
const HELLO = `local http = require("http")
return { main = function() http.response():write("hello") end }
`;
const APP = { '_index.yaml': INDEX, 'hello.lua': HELLO };
const run = (t: Scope, folder: string, args: readonly string[] = [], env: Record<string, string> = {}) =>
  runChild(t, process.execPath, [bin, 'run', folder, ...args], { env });

/** Something else that holds a port: it speaks HTTP, not TLS, and answers no request. */
const heldPort = async (t: Scope): Promise<number> => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
};

const BROKEN: readonly {
  what: string;
  files: Record<string, string>;
  says: readonly RegExp[];
}[] = [
  {
    what: 'malformed YAML',
    files: { ...APP, '_index.yaml': `${INDEX}  - { name: x, kind: [` },
    says: [/^_index\.yaml:11:\d+: /],
  },
  {
    what: 'unknown keys of the boot file, all of them, with the nearest',
    files: { ...APP, 'perilune.yaml': 'telemetri: { enabled: true }\nlogger:\n  leval: debug\n' },
    says: [/^perilune\.yaml:1:1: telemetri: .*telemetry/, /^perilune\.yaml:3:3: logger\.leval: .*level/],
  },
  {
    what: 'a file that is not there',
    files: { '_index.yaml': INDEX },
    says: [/^_index\.yaml:10:\d+: .*hello\.lua/],
  },
  {
    what: 'a Lua syntax error',
    files: { ...APP, 'hello.lua': `${HELLO}local = 1\n` },
    says: [/^hello\.lua:3:\d+: /],
  },
  {
    what: 'wrong types, all of them, with boot file and Lua',
    files: {
      '_index.yaml': INDEX.replace('method: GET', 'method: 7').replace('modules: [http]', 'modules: http'),
      'hello.lua': 'return {\n',
      'perilune.yaml': 'metrics: { max_series: many }\nshutdown: { timeout: 30 }\n',
    },
    says: [
      /^perilune\.yaml:1:\d+: metrics\.max_series: /,
      /^perilune\.yaml:2:\d+: shutdown\.timeout: .*unit/,
      /^_index\.yaml:9:\d+: .*method/,
      /^_index\.yaml:10:\d+: .*modules/,
    ],
  },
  {
    what: 'a reference to nothing',
    files: { ...APP, '_index.yaml': INDEX.replace('func: hello', 'func: helo') },
    says: [/^_index\.yaml:9:\d+: .*app:helo/],
  },
];

test('bad files: every error with its place, exit code 2, nothing started', async (t) => {
  const folder = t.testdir(Object.fromEntries(BROKEN.map(({ files }, i) => [String(i), files])));
  const outcomes = BROKEN.map(async ({ what, says }, i) => {
    const { code, stdout, stderr } = await run(t, `${folder}/${i}`);
    return { what, says, code, stdout, stderr };
  });
  for (const { what, says, code, stdout, stderr } of await Promise.all(outcomes)) {
    t.equal(code, 2, `${what}: ${stderr.join('\n')}`);
    t.same(stdout, []);
    for (const pattern of says)
      t.ok(
        stderr.some((line) => pattern.test(line)),
        `${pattern} in\n${stderr.join('\n')}`,
      );
    t.equal(stderr.length, says.length, `${what}: one line each\n${stderr.join('\n')}`);
  }
});

test('a folder that is not there, and one that is no folder: exit code 2', async (t) => {
  const folder = t.testdir({ file: '' });
  const [missing, file] = await Promise.all([run(t, `${folder}/none`), run(t, `${folder}/file`)]);
  for (const { code, stdout, stderr } of [missing, file]) {
    t.equal(code, 2);
    t.same(stdout, []);
    t.equal(stderr.length, 1);
    t.match(stderr[0], /folder/);
  }
});

test('rule 94: a port in use ends the start with 1, naming address and key; nothing is left half started', async (t) => {
  const folder = t.testdir({
    ...APP,
    // Listens before `web`, by its name; must be gone with the rest.
    'first.yaml': `namespace: aaa
entries:
  - { name: first, kind: http.service, addr: "127.0.0.1:0", lifecycle: { auto_start: true } }
`,
  });
  const port = await heldPort(t);
  const began = performance.now();
  const [http, operations] = await Promise.all([
    run(t, folder, [], { WEB_PORT: String(port) }),
    run(t, folder, ['--set', 'telemetry.enabled=true', '--set', `telemetry.listen=127.0.0.1:${port}`]),
  ]);
  t.ok(performance.now() - began < 16_000, 'within a second, sixteen times over');
  t.equal(http.code, 1);
  t.same(http.stdout, [], 'nothing is announced');
  t.match(
    http.stderr.at(-1),
    new RegExp(`_index\\.yaml:6:\\d+: addr: 127\\.0\\.0\\.1:${port} of http\\.service app:web is in use`),
  );
  t.equal(operations.code, 1);
  t.same(operations.stdout, []);
  t.equal(operations.stderr.length, 1, 'nothing else was started');
  t.match(operations.stderr[0], new RegExp(`telemetry\\.listen: 127\\.0\\.0\\.1:${port} is in use`));
});

test('a required service that cannot start ends the start; an optional one is logged', async (t) => {
  const port = await heldPort(t);
  const second = (startup: string): string => `namespace: extra
entries:
  - name: web
    kind: http.service
    addr: "127.0.0.1:${port}"
    lifecycle: { auto_start: true, startup: ${startup} }
`;
  const folder = t.testdir({
    required: { ...APP, 'extra.yaml': second('required') },
    optional: { ...APP, 'extra.yaml': second('optional') },
  });
  const [required, optional] = await Promise.all([
    run(t, `${folder}/required`),
    startProgram(t, `${folder}/optional`, { ports: ['WEB_PORT'] }),
  ]);
  t.equal(required.code, 1);
  t.match(required.stderr.at(-1), /extra:web.*in use/);
  t.equal((await fetch(optional.url('WEB_PORT', '/hello'))).status, 200);
  const errors = optional.stderr.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
  t.match(errors, [{ component: 'extra:web', msg: /in use/ }]);
  t.equal((await optional.stop()).code, 0);
});

test('rule 121: an unknown key of an entry and an unknown kind are warnings in the log, and the app runs', async (t) => {
  const odd = INDEX.replace('method: main,', 'method: main, modul: [x],');
  const folder = t.testdir({ ...APP, '_index.yaml': `${odd}  - { name: odd, kind: no.such.kind }\n` });
  const program = await startProgram(t, folder, { ports: ['WEB_PORT'] });
  t.equal((await fetch(program.url('WEB_PORT', '/hello'))).status, 200);
  const warnings = program.stderr.map((line) => JSON.parse(line)).filter(({ level }) => level === 'warn');
  t.match(warnings.map(({ msg }) => msg).sort(), [
    /^_index\.yaml:10:\d+: .*modul.*modules/,
    /^_index\.yaml:11:\d+: .*no\.such\.kind/,
  ]);
  t.equal((await program.stop()).code, 0);
});

/** An endpoint; what must tick, and the one warning. */
const COLLECTORS = (plain: number): readonly [string, RegExp, { init: number } | { kind: string }][] => [
  ['://x', /tracing .* is off: OTLP endpoint ':\/\/x'/, { init: 1 }],
  ['ftp://localhost', /tracing .* is off: OTLP endpoint 'ftp:\/\/localhost'/, { init: 1 }],
  ['http://', /tracing .* is off: OTLP endpoint/, { init: 1 }],
  ['nonsense', /telemetry export fails/, { kind: 'connect' }],
  ['http://127.0.0.1:0', /telemetry export fails/, { kind: 'connect' }],
  [`https://127.0.0.1:${plain}`, /telemetry export fails/, { kind: 'tls' }],
  [`http://127.0.0.1:${plain}`, /telemetry export fails/, { kind: 'timeout' }],
];

test('rules 14, 89, 92, 93: whatever the collector is, the app serves, with one warning and its counter', async (t) => {
  const folder = t.testdir(APP);
  const plain = await heldPort(t);
  const check = async ([endpoint, warning, ticks]: ReturnType<typeof COLLECTORS>[number]): Promise<void> => {
    const program = await startProgram(t, folder, {
      ports: ['WEB_PORT'],
      set: { 'shutdown.flush_timeout': '500ms', 'otel.batch.schedule_delay': '50ms' },
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: '400' },
    });
    t.equal((await fetch(program.url('WEB_PORT', '/hello'))).status, 200, endpoint);
    await poll(`${endpoint} ticks`, async () => {
      const { samples } = await program.scrape();
      return samples.some(({ name, labels, value }) =>
        'init' in ticks
          ? name === 'wippy_telemetry_init_errors_total' && labels.reason === 'config' && value === ticks.init
          : name === 'wippy_exporter_calls_total' && labels.kind === ticks.kind && value > 0,
      );
    }).catch(async (error: Error) =>
      t.fail(`${error.message}: ${await (await fetch(`${program.operations}/metrics`)).text()}`),
    );
    t.equal((await fetch(program.url('WEB_PORT', '/hello'))).status, 200, endpoint);
    const { code, ms } = await program.stop();
    t.equal(code, 0, endpoint);
    t.ok(ms < 8000, `${endpoint}: ${ms} ms`);
    const warnings = program.stderr.map((line) => JSON.parse(line)).filter(({ level }) => level === 'warn');
    // What was queued at the end has one of its own.
    t.match(
      warnings.filter(({ msg }) => msg !== 'telemetry shutdown is incomplete').map(({ msg }) => msg),
      [warning],
      endpoint,
    );
  };
  await Promise.all(COLLECTORS(plain).map(check));
});

const warningsOf = (stderr: readonly string[]): readonly string[] =>
  stderr
    .map((line) => JSON.parse(line))
    .filter(({ level }) => level === 'warn')
    .map(({ msg }) => String(msg));

test('rule 88: an invalid variable gives one warning with its name, its value and what is used instead', async (t) => {
  const variables: Readonly<Record<string, readonly [value: string, instead: RegExp]>> = {
    LOG_LEVEL: ['loud', /info/],
    LOG_FORMAT: ['xml', /auto/],
    LOG_LEVEL_HTPP: ['debug', /http/],
    OTEL_SDK_DISABLED: ['perhaps', /false/],
    OTEL_TRACES_SAMPLER: ['sometimes', /parentbased_always_on/],
    OTEL_BSP_SCHEDULE_DELAY: ['soon', /2000/],
    OTEL_METRIC_EXPORT_INTERVAL: ['-5', /30000/],
    OTEL_EXPORTER_OTLP_PROTOCOL: ['grpc', /http\/protobuf/],
    OTEL_EXPORTER_OTLP_TIMEOUT: ['long', /10000/],
    OTEL_PROPAGATORS: ['b3', /tracecontext,baggage/],
    OTEL_TRACES_EXPORTER: ['zipkin', /otlp/],
    OTEL_RESOURCE_ATTRIBUTES: ['novalue', /\{\}|nothing/],
  };
  const env = Object.fromEntries(Object.entries(variables).map(([name, [value]]) => [name, value]));
  const program = await startProgram(t, t.testdir(APP), { ports: ['WEB_PORT'], env });
  t.equal((await fetch(program.url('WEB_PORT', '/hello'))).status, 200);
  t.equal((await program.stop()).code, 0);
  const warnings = warningsOf(program.stderr);
  for (const [name, [value, instead]] of Object.entries(variables)) {
    const own = warnings.filter((msg) => new RegExp(`\\b${name}: `).test(msg));
    t.equal(own.length, 1, `${name}: ${warnings.join('\n')}`);
    if (!name.startsWith('LOG_LEVEL_')) t.match(own[0], value);
    t.match(own[0], instead);
  }
  t.equal(warnings.length, Object.keys(variables).length, warnings.join('\n'));
});

test('rule 87: empty variables count as unset; OTEL_SDK_DISABLED=true beats all, also what is invalid', async (t) => {
  const names = [
    ...['LOG_LEVEL', 'LOG_FORMAT', 'OTEL_SDK_DISABLED', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_PROTOCOL'],
    ...['OTEL_TRACES_SAMPLER', 'OTEL_TRACES_EXPORTER', 'OTEL_BSP_SCHEDULE_DELAY', 'OTEL_RESOURCE_ATTRIBUTES'],
  ];
  const folder = t.testdir(APP);
  const [empty, disabled] = await Promise.all([
    startProgram(t, folder, { ports: ['WEB_PORT'], env: Object.fromEntries(names.map((name) => [name, ''])) }),
    startProgram(t, folder, {
      ports: ['WEB_PORT'],
      set: { 'otel.enabled': true, 'otel.metrics_enabled': true, 'otel.endpoint': 'http://127.0.0.1:1' },
      env: { OTEL_SDK_DISABLED: 'true' },
    }),
  ]);
  for (const program of [empty, disabled]) {
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const response = await fetch(program.url('WEB_PORT', '/hello'), { headers: { traceparent: trace } });
    t.equal(response.status, 200);
    t.equal(response.headers.get('traceparent'), null, 'there is no span to name');
    const { samples } = await program.scrape();
    t.notOk(
      samples.some(({ name }) => /_exporter_|_spans_total/.test(name)),
      'nothing is exported',
    );
    t.ok(
      samples.some(({ name }) => name === 'wippy_http_requests_total'),
      'and the scrape works',
    );
    const { code, ms } = await program.stop();
    t.equal(code, 0);
    t.ok(ms < 8000);
    t.same(warningsOf(program.stderr), []);
    t.ok(program.stdout.some((line) => line.startsWith('traces: off')));
  }
});
