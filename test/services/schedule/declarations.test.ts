import { test } from 'tap';
import { loadApp } from '../../../boot/app.ts';
import { refuseErrors } from '../../../boot/declarations/validate.ts';
import { explainApp } from '../../../boot/explain-app.ts';
import { renderProblem } from '../../../runtime/errors.ts';
import type { ScheduleConfig } from '../../../services/schedule/kinds.ts';

type Scope = { testdir(files: Record<string, string>): string };

const load = (t: Scope, schedule: string, sets: readonly string[] = []) => {
  const dir = t.testdir({
    '_index.yaml': `namespace: app
entries:
  - { name: tick, kind: process.schedule, ${schedule} }
  - { name: work, kind: function.lua, source: "return function() end", method: main }
  - { name: lib, kind: library.lua, source: "return {}" }
  - { name: actor, kind: process.lua, source: "return function() end", method: main }
  - { name: called, kind: process.lua, source: "return function() end", method: main, meta: { default_host: host } }
  - { name: other, kind: process.lua, source: "return function() end", method: main, meta: { options: { default_host: "app:host" } } }
  - { name: host, kind: process.host, lifecycle: { auto_start: true } }
  - { name: cache, kind: store.redis, url: "redis://127.0.0.1:6379" }
  - { name: memory, kind: store.memory }
  - { name: db, kind: db.sql.postgres, host: h, port: 5432, database: d, username: u, password: p }
  - { name: file, kind: db.sql.sqlite, file: ":memory:" }
`,
  });
  return loadApp({ dir, configFiles: [], sets, overrides: [], variables: { MINUTES: '5' } });
};
const errors = (t: Scope, schedule: string): readonly string[] =>
  load(t, schedule)
    .problems.filter(({ severity }) => severity === 'error')
    .map((problem) => renderProblem(problem).replace(/^_index\.yaml:3:\d+: entries\[0\]/, ''));

test('what is valid, and what is filled in', async (t) => {
  const app = load(t, 'cron: "*/${env:MINUTES} * * * *", func: work');
  t.doesNotThrow(() => refuseErrors(app.problems));
  const [declared] = app.registry.declared<ScheduleConfig>('process.schedule');
  t.match(declared?.config, {
    cron: '*/5 * * * *',
    timezone: 'UTC',
    func: 'app:work',
    input: [],
    overlap: 'skip',
    jitter: 0,
    lifecycle: { auto_start: false, stop_timeout: 10_000 },
  });
  for (const schedule of [
    'cron: "0 30 9 * * MON-FRI", timezone: America/New_York, func: work, jitter: 1m30s, overlap: queue',
    'cron: "0 0 29 2 *", func: work',
    'cron: "0 0 L * *", func: work, input: [1, { a: [2] }, null]',
    'every: 250ms, func: { ns: app, name: work }, overlap: allow',
    'every: 1000000000, func: work',
    'every: 1h, process: actor, host: host',
    'every: 1h, func: called',
    'every: 1h, func: other',
  ]) {
    t.same(errors(t, schedule), [], schedule);
  }
});

test('the trigger: exactly one of cron and every', async (t) => {
  t.same(errors(t, 'func: work'), [': exactly one of cron and every is required']);
  t.same(errors(t, 'func: work, cron: "* * * * *", every: 1m'), [': exactly one of cron and every is required']);
});

test('an invalid cron is told with the reason, at its place', async (t) => {
  const five = 'expected five fields (minute, hour, day, month, weekday), or six with the seconds first, got';
  for (const [cron, message] of [
    ['61 * * * *', "invalid cron '61 * * * *': CronPattern: Invalid value for minute: 61"],
    ['* * * FOO *', /^\.cron: invalid cron '\* \* \* FOO \*': CronPattern: /],
    ['*/0 * * * *', /^\.cron: invalid cron '\*\/0 \* \* \* \*': CronPattern: /],
    ['0 0 30 2 *', "invalid cron '0 0 30 2 *': there is no such day in any year"],
    ['* * * *', `invalid cron '* * * *': ${five} 4`],
    ['* * * * * * 2030', `invalid cron '* * * * * * 2030': ${five} 7`],
    ['2030-01-01T00:00:00', `invalid cron '2030-01-01T00:00:00': ${five} 1`],
    ['@daily', `invalid cron '@daily': ${five} 1`],
    ['', `invalid cron '': ${five} 0`],
  ] as const) {
    const found = errors(t, `func: work, cron: "${cron}"`);
    if (typeof message === 'string') t.same(found, [`.cron: ${message}`]);
    else t.match(found, [message]);
  }
  t.same(errors(t, 'func: work, cron: 5'), ['.cron: expected a text, got 5']);
});

test('time zones and durations', async (t) => {
  for (const timezone of ['Mars/Olympus', '']) {
    t.same(errors(t, `func: work, cron: "* * * * *", timezone: "${timezone}"`), [
      `.timezone: unknown timezone: "${timezone}". Use an IANA name such as Europe/Berlin.`,
    ]);
  }
  const short = '.every: every must be at least 1ms. Write a duration with its unit, e.g. `every: 5s`.';
  t.same(errors(t, 'func: work, every: 5'), [short], 'a bare number is nanoseconds');
  t.same(errors(t, 'func: work, every: 0s'), [short]);
  t.same(errors(t, 'func: work, every: -1s'), ['.every: expected a duration of at least 0, got "-1s"']);
  t.same(errors(t, 'func: work, every: often'), ['.every: expected a duration such as 250ms, 5s or 1h, got "often"']);
  t.same(errors(t, 'func: work, every: 1m, jitter: some'), [
    '.jitter: expected a duration such as 250ms, 5s or 1h, got "some"',
  ]);
});

test('the target: a function, or a process and its host', async (t) => {
  t.same(errors(t, 'every: 1m'), [': exactly one of func and process is required']);
  t.same(errors(t, 'every: 1m, func: work, process: actor, host: host'), [
    ': exactly one of func and process is required',
  ]);
  t.same(errors(t, 'every: 1m, process: actor'), ['.host: host is required']);
  t.same(errors(t, 'every: 1m, func: work, host: host'), [
    '.host: host goes with process, not with func: a process.lua that func names has a default host',
  ]);
  t.match(errors(t, 'every: 1m, func: wrok'), [
    /^\.func: app:tick refers to app:wrok, which does not exist\..*app:work/,
  ]);
  t.same(errors(t, 'every: 1m, func: lib'), [
    '.func: app:tick refers to app:lib, which is of kind library.lua; expected function.lua or process.lua',
  ]);
  t.same(errors(t, 'every: 1m, process: actor, host: work'), [
    '.host: app:tick refers to app:work, which is of kind function.lua; expected process.host',
  ]);
  t.same(errors(t, 'every: 1m, func: actor'), [
    '.func: app:tick refers to app:actor, a process.lua without meta.default_host. Name it in process, beside its host.',
  ]);
});

test('a lock names what keeps it', async (t) => {
  for (const lock of ['cache', 'app:cache', '{ ns: app, name: db }']) {
    t.same(errors(t, `every: 1m, func: work, lock: ${lock}`), [], lock);
  }
  t.match(errors(t, 'every: 1m, func: work, lock: cahce'), [
    /^\.lock: app:tick refers to app:cahce, which does not exist\..*app:cache/,
  ]);
  for (const [lock, kind] of [
    ['memory', 'store.memory'],
    ['file', 'db.sql.sqlite'],
  ]) {
    t.same(errors(t, `every: 1m, func: work, lock: ${lock}`), [
      `.lock: app:tick refers to app:${lock}, which is of kind ${kind}; expected store.redis or db.sql.postgres`,
    ]);
  }
  t.same(errors(t, 'every: 1m, func: work, lock: ""'), [
    '.lock: lock must be the id of a store.redis or db.sql.postgres',
  ]);
  t.match(
    load(t, 'every: 1m, func: work, lock: cache').needs.get('app:tick'),
    ['app:work', 'app:cache'],
    'it starts after it',
  );
});

test('other overlaps and an input that is no list are refused', async (t) => {
  t.match(errors(t, 'every: 1m, func: work, overlap: skipp'), [
    /^\.overlap: expected one of skip, allow, queue, got "skipp"/,
  ]);
  t.same(errors(t, 'every: 1m, func: work, input: { a: 1 }'), ['.input: expected a list, got {"a":1}']);
});

test('--explain shows the interceptors of its site, surfaces.schedule: false refuses its kind', async (t) => {
  const tick = (...sets: string[]) =>
    explainApp(load(t, 'every: 1m, func: work', sets)).find((line) => line.startsWith('app:tick '));
  t.equal(tick(), 'app:tick  process.schedule  metrics 50 > logging 120');
  t.equal(tick('otel.enabled=true'), 'app:tick  process.schedule  metrics 50 > tracing 100 > logging 120');
  const { problems } = load(t, 'every: 1m, func: work', ['surfaces.schedule=false']);
  t.match(
    problems.filter(({ severity }) => severity === 'error').map(({ message }) => message),
    ["app:tick: kind 'process.schedule' is switched off by surfaces.schedule: false in the boot file"],
  );
});
