import { test } from 'tap';
import { APP, e2e, project, run } from './cli-app.ts';

test('--version prints four lines, --help and no words at all the help', async (t) => {
  const { code, out, err } = await run(['--version']);
  t.equal(code, 0);
  t.same(err, []);
  t.equal(out.length, 4);
  t.match(out[0], /^perilune \d+\.\d+\.\d+$/);
  t.equal(out[1], `node ${process.version}`);
  t.match(out[2], /^otel \d+\.\d+\.\d+$/);
  t.equal(out[3], 'lua fengari 0.1.5 (5.3)');
  for (const words of [[], ['--help']]) {
    const help = await run(words);
    t.equal(help.code, 0);
    t.match(help.out.join('\n'), /perilune validate <dir>/);
  }
});

test('wrong words: exit 2, the reason on stderr, nothing on stdout', async (t) => {
  const dir = t.testdir(APP);
  for (const [argv, message] of [
    [['serve'], /unknown command "serve"/],
    [['validate'], /validate takes one folder/],
    [['validate', dir, 'more'], /validate takes one folder/],
    [['validate', `${dir}/none`], /no such folder/],
    [['validate', `${dir}/sum.lua`], /not a folder/],
    [['run', './nowhere/at/all'], /no such folder/],
    [['invoke', dir], /invoke takes a folder and a function/],
    [['invoke', dir, 'app:sum', '{"a":'], /argument 1 is not JSON/],
    [['invoke', dir, 'app:sum', '1', 'words'], /argument 2 is not JSON/],
    [['invoke', dir, 'app:none'], /app:none: no such function/],
    [['test'], /test takes one folder/],
    [['test', dir, '--reporter', 'xml'], /--reporter/],
    [['run', dir, 'migrate', 'up'], /command "migrate" not found\..*run list/],
    [['run', dir, '-x', 'app:migrate'], /command "app:migrate" not found\..*run list/],
  ] as const) {
    const { code, out, terminal } = await run(argv);
    t.equal(code, 2, argv.join(' '));
    t.match(terminal.stderr(), message);
    t.same(out, []);
  }
});

test('run list ends at once with 0', async (t) => {
  const { code, out, err } = await run(['run', t.testdir(APP), 'list']);
  t.equal(code, 0);
  t.same(out, []);
  t.match(err.join(), /no commands/);
});

// ---- validate ------------------------------------------------------------------------------------------------------

test('validate: ok and the counts; warnings go to stderr and change nothing', async (t) => {
  const dir = t.testdir({ ...APP, more: { 'x.yaml': 'namespace: more\nentries: [{name: a, kind: odd.kind}]\n' } });
  const { code, out, err } = await run(['validate', dir]);
  t.equal(code, 0);
  t.same(out, ['ok: 5 entries in 2 files']);
  t.equal(err.length, 1);
  t.match(err[0], /^more\/x\.yaml:2:\d+: .*odd\.kind.*\(warning\)$/);
});

test('validate: everything that is wrong at once, as file:line:col: path: text, exit 2', async (t) => {
  const dir = t.testdir({
    '_index.yaml': `namespace: app
entries:
  - { name: a, kind: function.lua, method: main }
  - { name: b, kind: function.lua, source: file://b.lua, method: main }
  - { name: c, kind: queue.consumer, queue: missing, func: a }
`,
    'b.lua': 'local x = \nreturn {',
    'perilune.yaml': 'telemetry: { listn: "127.0.0.1:1" }\n',
  });
  const { code, out, err } = await run(['validate', dir, '--set', 'shutdown.timeout=5', '--set', 'nope']);
  t.equal(code, 2);
  t.same(out, []);
  for (const line of [
    /^_index\.yaml:3:\d+: .*source is required/,
    /^b\.lua:\d+:?.*/,
    /^_index\.yaml:5:\d+: entries\[2\]\.queue: .*app:missing/,
    /^perilune\.yaml:1:\d+: telemetry\.listn: .*listen/,
    /^--set: shutdown\.timeout: .*duration/,
    /^--set: /,
  ]) {
    t.equal(err.filter((one) => line.test(one)).length > 0, true, String(line));
  }
  const started = await run(['run', dir, '--set', 'shutdown.timeout=5', '--set', 'nope']);
  t.equal(started.code, 2, 'rule 96: what validate refuses, run refuses with the same words');
  t.same([...started.err].sort(), [...err].sort());
});

test('rule 128: --explain: each value with its origin, secrets as ***, variables without a key under their name', async (t) => {
  const dir = t.testdir({
    ...APP,
    'perilune.yaml': 'shutdown:\n  timeout: 1m\notel: { headers: { x-key: s3cret }, service_name: from-file }\n',
  });
  const { code, out, terminal } = await run(['validate', dir, '--explain', '--set', 'relay.node_name=n1'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:s3cret@127.0.0.1:4318',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=s3cret',
    OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
    OTEL_BSP_SCHEDULE_DELAY: '700',
    OTEL_PROPAGATORS: 'tracecontext',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=from-attributes',
    LOG_LEVEL_QUEUE: 'debug',
  });
  t.equal(code, 0);
  for (const line of [
    'metrics.namespace = wippy  (default)',
    'otel.batch.export_timeout = 10s  (default)',
    'shutdown.timeout = 1m  (perilune.yaml:2)',
    'relay.node_name = n1  (--set)',
    'logger.levels.queue = debug  (env LOG_LEVEL_QUEUE)',
    'otel.enabled = true  (env OTEL_EXPORTER_OTLP_ENDPOINT)',
    'otel.endpoint = http://***@127.0.0.1:4318  (env OTEL_EXPORTER_OTLP_ENDPOINT)',
    'otel.headers.x-key = ***  (perilune.yaml:3)',
    'otel.batch.schedule_delay = 700ms  (env OTEL_BSP_SCHEDULE_DELAY)',
    'otel.propagators = ["tracecontext"]  (env OTEL_PROPAGATORS)',
    'otel.metrics_enabled = true  (env OTEL_METRICS_EXPORTER)',
    'otel.service_name = from-attributes  (env OTEL_RESOURCE_ATTRIBUTES)',
    'OTEL_EXPORTER_OTLP_TIMEOUT = 5000  (env OTEL_EXPORTER_OTLP_TIMEOUT)',
    'OTEL_EXPORTER_OTLP_TRACES_HEADERS = ***  (env OTEL_EXPORTER_OTLP_TRACES_HEADERS)',
  ]) {
    t.equal(out.filter((one) => one === line).length, 1, line);
  }
  t.notMatch(terminal.stdout() + terminal.stderr(), /s3cret/);
  t.equal(out.at(-1), 'ok: 4 entries in 1 files');
});

test('--explain: OTEL_SDK_DISABLED beats --set', async (t) => {
  const { out } = await run(['validate', t.testdir(APP), '--explain', '--set', 'otel.enabled=true'], {
    OTEL_SDK_DISABLED: 'true',
  });
  t.ok(out.includes('otel.enabled = false  (env OTEL_SDK_DISABLED)'));
});

test('--explain: each entry with its kind and the interceptors that wrap its sites', async (t) => {
  const rows = async (...sets: string[]) => {
    const { out } = await run(['validate', e2e, '--explain', ...sets.flatMap((one) => ['--set', one])]);
    return (id: string) => out.find((line) => line.startsWith(`${id}  `))?.slice(id.length + 2);
  };
  const byDefault = await rows();
  t.equal(byDefault('e2e:gateway'), 'http.service');
  t.equal(byDefault('e2e:hello.endpoint'), 'http.endpoint  guard 10 > metrics 50 > logging 120', 'nothing is traced');
  const traced = await rows('otel.enabled=true');
  t.equal(traced('e2e:hello.endpoint'), 'http.endpoint  guard 10 > metrics 50 > tracing 100 > logging 120');
  t.equal(traced('e2e:hello'), 'function.lua  retry 20 > timeout 30 > metrics 50 > tracing 100');
  t.equal(traced('e2e:jobs'), 'queue.queue  metrics 50 > tracing 100');
  t.equal(traced('e2e:worker'), 'queue.consumer  metrics 50 > logging 120');
  t.equal(traced('e2e:kv'), 'store.memory  metrics 50 > logging 120');
  const changed = await rows(
    'otel.enabled=true',
    'otel.http.enabled=false',
    'otel.kv.spans=true',
    'interceptors.guard.enabled=false',
    'metrics.interceptor.order=110',
  );
  t.equal(changed('e2e:hello.endpoint'), 'http.endpoint  metrics 110 > logging 120');
  t.equal(
    changed('e2e:hello'),
    'function.lua  retry 20 > timeout 30 > tracing 100 > metrics 110',
    'in the order of the boot file',
  );
  t.equal(changed('e2e:kv'), 'store.memory  tracing 100 > metrics 110 > logging 120');
  const off = await rows('metrics.interceptor.enabled=false');
  t.equal(off('e2e:jobs'), 'queue.queue  no interceptor');
  const excluded = await rows(
    'otel.enabled=true',
    'otel.http.exclude=[e2e:hello.endpoint]',
    'metrics.http_exclude=[/stats]',
  );
  t.equal(excluded('e2e:hello.endpoint'), 'http.endpoint  guard 10 > metrics 50 > logging 120');
  t.equal(excluded('e2e:stats.endpoint'), 'http.endpoint  guard 10 > tracing 100 > logging 120');
  const prefixed = [
    'validate',
    `${project}examples/orders`,
    '--explain',
    '--set',
    'metrics.http_exclude=["/prices/{sku}"]',
  ];
  t.match(
    (await run(prefixed)).out.join('\n'),
    /^prices:quote\.endpoint {2}http\.endpoint {2}guard 10 > logging 120$/m,
  );
});
