import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import type { LogFields, Logger, LogLevel } from '../../../runtime/logger.ts';
import type { DynamicResult } from '../../../runtime/metrics/collector.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { testCollector } from '../../runtime/metrics/fixture.ts';
import { stdlibBench } from './stdlib-bench.ts';

const rows = (title: string, list: readonly (readonly [string, string])[]) =>
  test(title, async (t) => {
    const bench = stdlibBench();
    for (const [body, expected] of list) t.equal(await bench.run(body), expected, body);
  });

const PACK =
  'local function show(v, e) return tostring(v) .. "|" .. (e and e:kind() .. "|" .. tostring(e:retryable()) .. "|" .. e:message() or "nil") end ';
const both = (call: string): string => `${PACK} return show(${call})`;

rows('json: encode', [
  [both('json.encode({a = {1, 2}})'), '{"a":[1,2]}|nil'],
  [both('json.encode(nil)'), 'null|nil'],
  [both('json.encode()'), 'null|nil'],
  [both('json.encode(1700000000 * 1000)'), '1700000000000|nil'],
  [both('json.encode({})'), '[]|nil'],
  [both('json.encode(json.decode("{}"))'), '{}|nil'],
  [both('json.encode({print, time.utc})'), '[null,null]|nil'],
  [both('json.encode({e = errors.new("gone")})'), '{"e":"gone"}|nil'],
  [both('json.encode("\\xff")'), '"\ufffd"|nil'],
  [both('json.encode({0/0, 1/0})'), '[null,null]|nil'],
  [both('json.encode({1, a = 2})'), 'nil|Internal|false|cannot encode mixed-key table'],
  [both('json.encode({[1] = 1, [3] = 3})'), 'nil|Internal|false|cannot encode sparse array'],
  [`local t = {} t.a = {t} ${both('json.encode(t)')}`, 'nil|Internal|false|recursive table at a[1]'],
]);

rows('json: decode', [
  [both('json.decode("1")'), '1|nil'],
  [both('json.decode("null")'), 'nil|nil'],
  [both('json.decode("")'), 'nil|Invalid|false|cannot decode an empty string'],
  [both('json.decode(nil)'), 'nil|Invalid|false|string expected'],
  [both('json.decode(5)'), 'nil|Invalid|false|string expected'],
  [
    both('json.decode("{")'),
    "nil|Internal|false|malformed JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2)",
  ],
  ['local v = json.decode(\'[1,null,{"b":"\\\\u00e9"}]\') return tostring(v[1]) .. tostring(v[2]) .. v[3].b', '1nilé'],
  ['return math.type(json.decode("1700000000000"))', 'integer'],
]);

rows('errors: new, and the methods of its values', [
  [
    'local e = errors.new("no") return e:message() .. e:kind() .. tostring(e:retryable()) .. tostring(e:details())',
    'nonilnil',
  ],
  [
    'return type(errors.new("x")) .. type(errors.new("x").kind) .. tostring(errors.new("x").nothing)',
    'userdatafunctionnil',
  ],
  [
    'local e = errors.new{message = "m", kind = errors.CONFLICT, retryable = true} return e:kind() .. tostring(e:retryable())',
    'Conflicttrue',
  ],
  [
    'local e = errors.new{message = "m", kind = 5, retryable = "yes", details = "d"} return e:kind() .. tostring(e:retryable()) .. tostring(e:details())',
    'nilnil',
  ],
  [
    'local e = errors.new{message = "m", details = {a = {1, 2}, n = 2, [1] = "lost"}} local d = e:details() return d.a[2] .. d.n .. tostring(d[1]) .. math.type(d.n)',
    '22nilinteger',
  ],
  ['return tostring(errors.new{message = "m", details = {}}:details())', 'nil'],
  ['local e = errors.new("a") return "x: " .. e .. " y" .. (e .. e)', 'x: a yaa'],
  ['local e = errors.new("a") return tostring(pcall(function() e.kind = 1 end))', 'false'],
  ['local e = errors.new("a") local ok, caught = pcall(error, e) return tostring(rawequal(e, caught))', 'true'],
  ['return string.find(errors.new("a needle b"):stack(), "needle", 1, true) and "found"', 'found'],
  [
    'local e = errors.new("deep") return (e:stack():gsub("^deep\\nstack traceback:\\n\\tchunk.lua:1.*$", "where"))',
    'where',
  ],
]);

rows('errors: wrap, is, call_stack, constants', [
  [
    'local e = errors.wrap(errors.new{message = "m", kind = "Timeout", retryable = true, details = {a = 1}}, "while") return e:message() .. e:kind() .. tostring(e:retryable()) .. e:details().a .. tostring(e)',
    'mTimeouttrue1m',
  ],
  [
    'local e = errors.wrap("m", "ctx") return e:message() .. "|" .. tostring(e:stack():find("ctx", 1, true) ~= nil)',
    'm|true',
  ],
  [
    'local e = errors.wrap(errors.wrap("m", "inner"), errors.new("outer")) local s = e:stack() return tostring(s:find("outer") < s:find("inner"))',
    'true',
  ],
  [
    'return tostring(errors.is(errors.new{message = "m", kind = "Timeout"}, errors.TIMEOUT)) .. tostring(errors.is(errors.new("m"), errors.TIMEOUT)) .. tostring(errors.is("m", "")) .. tostring(errors.is(nil, "Invalid"))',
    'truefalsefalsefalse',
  ],
  [
    'local s = errors.call_stack(errors.new("x")) local f = s.frames[1] return type(s.thread) .. f.level .. f.source .. f.line .. type(f.type)',
    'string1chunk.lua1string',
  ],
  ['return tostring(errors.call_stack("x")) .. tostring(errors.call_stack({}))', 'nilnil'],
  [
    'return errors.NOT_FOUND .. errors.ALREADY_EXISTS .. errors.INVALID .. errors.PERMISSION_DENIED .. errors.UNAVAILABLE .. errors.INTERNAL .. errors.CANCELED .. errors.CONFLICT .. errors.TIMEOUT .. errors.RATE_LIMITED .. errors.UNKNOWN',
    'NotFoundAlreadyExistsInvalidPermissionDeniedUnavailableInternalCanceledConflictTimeoutRateLimited',
  ],
  ['return tostring(require("errors") == errors) .. tostring(pcall(function() errors.x = 1 end))', 'truefalse'],
]);

test('errors: faults raise', async (t) => {
  const bench = stdlibBench();
  for (const [call, text] of [
    ['errors.new()', 'expected string or table'],
    ['errors.new(5)', 'expected string or table'],
    ['errors.new{}', 'message field is required'],
    ['errors.new{message = 5}', 'message must be a string'],
    ['errors.wrap({}, "c")', 'error or string expected, got table'],
    ['errors.wrap("m", {})', 'string expected, got table'],
  ] as const) {
    t.match(await bench.run(`return select(2, pcall(function() return ${call} end))`), text, call);
  }
});

interface Line {
  readonly level: LogLevel;
  readonly subsystem: string;
  readonly message: string;
  readonly fields: LogFields;
  readonly trace: string | undefined;
}
const recorder = (threshold: LogLevel = 'debug') => {
  const lines: Line[] = [];
  const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
  const enabled = (level: LogLevel): boolean => order.indexOf(level) >= order.indexOf(threshold);
  const make = (subsystem: string, bound: LogFields): Logger => {
    const at =
      (level: LogLevel): Logger['info'] =>
      (message, fields, context) => {
        const trace = context?.get(TRACE)?.traceId;
        if (enabled(level)) lines.push({ level, subsystem, message, fields: { ...bound, ...fields }, trace });
      };
    return {
      ...{ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), enabled },
      child: (fields) => make(subsystem, { ...bound, ...fields }),
      subsystem: (name) => make(name, bound),
    };
  };
  return { lines, logger: make('boot', {}) };
};
const SOURCE = { pid: '{n@app|1}', location: 'app:chunk:1' };

test('logger: records carry pid, location, trace and converted fields', async (t) => {
  const { lines, logger } = recorder();
  const bench = stdlibBench({ logger });
  const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, isRemote: false };
  await bench.run('logger:info("hello")', rootContext.with(TRACE, trace));
  t.same(lines, [{ level: 'info', subsystem: 'lua', message: 'hello', fields: SOURCE, trace: trace.traceId }]);
  lines.length = 0;
  await bench.run(`
    local cycle = {} cycle.self = cycle
    logger:error("x", { s = "a", b = true, n = 1.5, list = {1, 2}, map = {k = "v"}, error = errors.new("gone"),
      c = cycle, f = print, pid = "spoofed", [1] = "skipped" })`);
  t.match(lines[0]?.fields, { s: 'a', b: true, n: 1.5, list: [1, 2], map: { k: 'v' }, error: 'gone', pid: SOURCE.pid });
  t.equal(lines[0]?.fields.c, '[recursive table at self]');
  t.equal(typeof lines[0]?.fields.f, 'string');
  t.notOk('1' in (lines[0]?.fields ?? {}));
});

test('logger: levels, with, named', async (t) => {
  const { lines, logger } = recorder('info');
  const bench = stdlibBench({ logger });
  await bench.run(`
    local log = require("logger")
    log:debug("below") log:info(5) log:warn("w", {}) log:error("e")
    local child = log:with({a = 1}):named("api"):with({b = 2}):named("v1")
    child:info("deep", {a = 3})
    log:info("parent")`);
  t.same(
    lines.map((l) => [l.level, l.message]),
    [
      ['info', '5'],
      ['warn', 'w'],
      ['error', 'e'],
      ['info', 'deep'],
      ['info', 'parent'],
    ],
  );
  t.match(lines[3]?.fields, { a: 3, b: 2, logger: 'api.v1' });
  t.notOk('a' in (lines[4]?.fields ?? {}), 'the parent is unchanged');
});

test('logger: faults raise, also where the level is off', async (t) => {
  const { lines, logger } = recorder('error');
  const bench = stdlibBench({ logger });
  for (const [call, text] of [
    ['logger:info({})', "bad argument #1 to 'info' (string expected, got table)"],
    ['logger:info()', 'string expected'],
    ['logger:info("x", nil)', "bad argument #2 to 'info' (table expected, got nil)"],
    ['logger:info("x", "y")', 'table expected, got string'],
    ['logger:with()', 'table expected'],
    ['logger:named("")', 'name cannot be empty'],
    ['logger:named(nil)', 'string expected'],
  ] as const) {
    const raised = await bench.run(`return select(2, pcall(function() ${call} end))`);
    t.ok(String(raised).includes(text), `${call}: ${String(raised)}`);
  }
  t.same(lines, []);
});

test('print: one record at info, arguments joined with a blank', async (t) => {
  const { lines, logger } = recorder();
  await stdlibBench({ logger }).run('print("a", 1, nil, true)');
  t.same(lines, [{ level: 'info', subsystem: 'lua', message: 'a 1 nil true', fields: SOURCE, trace: undefined }]);
});

test('metrics: what each function emits', async (t) => {
  const calls: unknown[][] = [];
  const spy =
    (operation: string) =>
    (name: string, value: number, labels: unknown): DynamicResult => {
      calls.push([operation, name, value, labels]);
      return { ok: true };
    };
  const dynamic = {
    counterAdd: spy('counterAdd'),
    gaugeSet: spy('gaugeSet'),
    gaugeAdd: spy('gaugeAdd'),
    histogramObserve: spy('histogramObserve'),
  };
  const bench = stdlibBench({ dynamic });
  const shown = await bench.run(`
    local out = {}
    for _, f in ipairs {
      function() return metrics.counter_inc("orders.total") end,
      function() return metrics.counter_inc("orders", {city = "Bonn", [1] = "x", n = 5}) end,
      function() return metrics.counter_add("orders", 2.5, {}) end,
      function() return metrics.gauge_set("depth", -1, "no table") end,
      function() return metrics.gauge_inc("load") end,
      function() return metrics.gauge_dec("load", {a = "b"}) end,
      function() return metrics.histogram("size", 0) end,
    } do local ok, err = f() out[#out + 1] = tostring(ok) .. tostring(err) end
    return table.concat(out, " ")`);
  t.equal(shown, Array(7).fill('truenil').join(' '));
  t.same(calls, [
    ['counterAdd', 'orders.total', 1, {}],
    ['counterAdd', 'orders', 1, { city: 'Bonn' }],
    ['counterAdd', 'orders', 2.5, {}],
    ['gaugeSet', 'depth', -1, {}],
    ['gaugeAdd', 'load', 1, {}],
    ['gaugeAdd', 'load', -1, { a: 'b' }],
    ['histogramObserve', 'size', 0, {}],
  ]);
  calls.length = 0;
  await bench.run('return metrics.counter_inc("orders", {["__proto__"] = "x", b = "y"})');
  t.same(
    calls.map(([, , , labels]) => Object.entries(labels as object).sort()),
    [
      [
        ['__proto__', 'x'],
        ['b', 'y'],
      ],
    ],
    'a name that objects have is a label like any other, to be refused',
  );
});

test('metrics: counters and histograms keep the sampled span of their call as exemplar', async (t) => {
  const { collector } = testCollector();
  const bench = stdlibBench({ dynamic: collector.dynamic });
  const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 1, isRemote: false };
  const emit = `metrics.counter_inc("jobs_total", {q = "a"}) metrics.counter_add("jobs_total", 2)
    metrics.histogram("size", 0.5) metrics.gauge_set("depth", 1) metrics.gauge_inc("load")`;
  const exemplars = () =>
    collector
      .snapshot()
      .families.flatMap(({ name, series }) => series.flatMap((one) => one.exemplars.map((kept) => [name, kept])))
      .filter(([, kept]) => kept !== undefined);
  await bench.run(emit);
  await bench.run(emit, rootContext.with(TRACE, { ...trace, flags: 0 }));
  t.same(exemplars(), [], 'of a call that is not sampled nothing is kept');
  await bench.run(emit, rootContext.with(TRACE, trace));
  const { traceId, spanId } = trace;
  t.match(exemplars(), [
    ['jobs_total', { traceId, spanId, value: 1 }],
    ['jobs_total', { traceId, spanId, value: 2 }],
    ['size', { traceId, spanId, value: 0.5 }],
  ]);
  t.equal(exemplars().length, 3);
});

test('metrics: refusals are Invalid, wrong types raise', async (t) => {
  const bench = stdlibBench({ dynamic: { counterAdd: () => ({ ok: false, problem: 'value is negative' }) } });
  t.equal(await bench.run(both('metrics.counter_add("a", -1)')), 'nil|Invalid|false|value is negative');
  for (const [call, text] of [
    ['metrics.counter_inc()', 'string expected'],
    ['metrics.counter_inc({})', 'string expected, got table'],
    ['metrics.counter_add("a")', "bad argument #2 to 'counter_add' (number expected"],
    ['metrics.counter_add("a", "many")', 'number expected, got string'],
  ] as const) {
    const raised = await bench.run(`return select(2, pcall(function() return ${call} end))`);
    t.ok(String(raised).includes(text), `${call}: ${String(raised)}`);
  }
});
