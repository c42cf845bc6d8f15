import { test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { contextKey, rootContext } from '../../../runtime/context.ts';
import { canceled } from '../../../runtime/errors.ts';
import type { HostFunction, LuaEngine, LuaModule } from '../../../runtime/lua/engine.ts';
import { defineTime } from '../../../services/stdlib/time/module.ts';
import { callHost, fakeClock, fakeThread } from '../../harness/fake-thread.ts';
import { poll } from '../../harness/poll.ts';
import { stdlibBench } from './stdlib-bench.ts';

/** Expression and what `tostring` of it shows. */
type Row = readonly [string, string];
const UTC = 'time.date(2024, 2, 29, 13, 4, 5, 6007000, time.utc)';
const BERLIN = 'time.load_location("Europe/Berlin")';
const NEW_YORK = 'time.load_location("America/New_York")';
const D = 'time.parse_duration';

const rows = (title: string, list: readonly Row[]) =>
  test(title, async (t) => {
    const bench = stdlibBench();
    for (const [expression, expected] of list) {
      t.equal(await bench.run(`return tostring(${expression})`), expected, expression);
    }
  });

/** `nil, err`: the kind, and a pattern that the message must hold. */
const failures = (title: string, list: readonly (readonly [string, string, string])[]) =>
  test(title, async (t) => {
    const bench = stdlibBench();
    for (const [expression, kind, pattern] of list) {
      const shown = await bench.run(
        `local v, e = ${expression} return tostring(v) .. "|" .. e:kind() .. "|" .. tostring(e:retryable()) .. "|" .. e:message()`,
      );
      t.match(shown, new RegExp(`^nil\\|${kind}\\|false\\|.*${pattern}`, 's'), expression);
    }
  });

const raises = (title: string, list: readonly (readonly [string, string])[]) =>
  test(title, async (t) => {
    const bench = stdlibBench();
    for (const [expression, text] of list) {
      const shown = await bench.run(
        `local ok, e = pcall(function() return ${expression} end) return tostring(ok) .. "|" .. tostring(e)`,
      );
      t.match(shown, /^false\|/, expression);
      t.ok(String(shown).includes(text), `${expression} raises ${text}, not ${String(shown)}`);
    }
  });

rows('rule 57: duration constants are whole nanoseconds', [
  ['time.NANOSECOND', '1'],
  ['time.MICROSECOND', '1000'],
  ['time.MILLISECOND', '1000000'],
  ['time.SECOND', '1000000000'],
  ['time.MINUTE', '60000000000'],
  ['time.HOUR * 24', '86400000000000'],
  ['math.type(time.HOUR)', 'integer'],
]);

rows('layout, month and weekday constants', [
  [`${UTC}:format(time.RFC3339)`, '2024-02-29T13:04:05Z'],
  [`${UTC}:format(time.RFC3339NANO)`, '2024-02-29T13:04:05.006007Z'],
  [`${UTC}:format(time.RFC822)`, '29 Feb 24 13:04 UTC'],
  [`${UTC}:format(time.RFC822Z)`, '29 Feb 24 13:04 +0000'],
  [`${UTC}:format(time.RFC850)`, 'Thursday, 29-Feb-24 13:04:05 UTC'],
  [`${UTC}:format(time.RFC1123)`, 'Thu, 29 Feb 2024 13:04:05 UTC'],
  [`${UTC}:format(time.RFC1123Z)`, 'Thu, 29 Feb 2024 13:04:05 +0000'],
  [`${UTC}:format(time.KITCHEN)`, '1:04PM'],
  ['time.date(2024, 2, 3, 0, 4, 5, 0, time.utc):format(time.KITCHEN)', '12:04AM'],
  ['time.date(2024, 2, 3, 0, 4, 5, 0, time.utc):format(time.STAMP)', 'Feb  3 00:04:05'],
  [`${UTC}:format(time.STAMP_MILLI)`, 'Feb 29 13:04:05.006'],
  [`${UTC}:format(time.STAMP_MICRO)`, 'Feb 29 13:04:05.006007'],
  [`${UTC}:format(time.STAMP_NANO)`, 'Feb 29 13:04:05.006007000'],
  [`${UTC}:format(time.DATE_TIME)`, '2024-02-29 13:04:05'],
  [`${UTC}:format(time.DATE_ONLY)`, '2024-02-29'],
  [`${UTC}:format(time.TIME_ONLY)`, '13:04:05'],
  ['time.JANUARY .. "," .. time.DECEMBER', '1,12'],
  ['time.SUNDAY .. "," .. time.SATURDAY', '0,6'],
  ['tostring(time.utc) .. "," .. tostring(time.localtz)', 'UTC,Local'],
]);

rows('durations: what is accepted and how it is shown', [
  [`${D}("2h15m")`, '2h15m0s'],
  [`${D}("2h15m30s")`, '2h15m30s'],
  [`${D}("-1.5s")`, '-1.5s'],
  [`${D}(".5m")`, '30s'],
  [`${D}("2m")`, '2m0s'],
  [`${D}("0")`, '0s'],
  [`${D}("150ms")`, '150ms'],
  [`${D}("1.5us")`, '1.5µs'],
  [`${D}("2µs")`, '2µs'],
  [`${D}("7ns")`, '7ns'],
  [`${D}("+3s")`, '3s'],
  [`${D}(1500000000)`, '1.5s'],
  [`${D}(${D}("3s"))`, '3s'],
  [`${D}("2562047h47m16.854775807s")`, '2562047h47m16.854775807s'],
  [`${D}("1m1.0000001s"):nanoseconds()`, '61000000100'],
  [`${D}("-1500ns"):microseconds()`, '-1'],
  [`${D}("1999us"):milliseconds()`, '1'],
  [`${D}("90s"):seconds()`, '90'],
  [`${D}("90s"):minutes()`, '1.5'],
  [`${D}("45m"):hours()`, '0.75'],
  [`type(${D}("1s"))`, 'userdata'],
]);

failures(
  'durations: everything else is INVALID',
  [
    '""',
    '"5"',
    '"5d"',
    '" 5s"',
    '"5 s"',
    '"1h-5m"',
    '"s"',
    '"."',
    '".s"',
    '0/0',
    '1/0',
    'true',
    '{}',
    'nil',
    '"9999999h"',
  ].map((given) => [`${D}(${given})`, 'Invalid', 'invalid duration'] as const),
);

rows('date: parts normalise, also through zones', [
  ['time.date(2023, 13, 1, 0, 0, 0, 0, time.utc)', '2024-01-01 00:00:00 +0000 UTC'],
  ['time.date(2024, 3, 0, 0, 0, 0, 0, time.utc)', '2024-02-29 00:00:00 +0000 UTC'],
  ['time.date(2024, -1, 1, 0, 0, 0, 0, time.utc)', '2023-11-01 00:00:00 +0000 UTC'],
  ['time.date(2024, 1, 1, 25, -1, 61, -1, time.utc)', '2024-01-02 01:00:00.999999999 +0000 UTC'],
  ['time.date(-4, 2, 29, 0, 0, 0, 0, time.utc):format("2006-01-02")', '-0004-02-29'],
  [`time.date(2024, 7, 1, 12, 0, 0, 0, ${BERLIN})`, '2024-07-01 12:00:00 +0200 CEST'],
  [`time.date(2024, 1, 1, 12, 0, 0, 0, ${NEW_YORK})`, '2024-01-01 12:00:00 -0500 EST'],
  [`time.date(2024, 3, 10, 2, 30, 0, 0, ${NEW_YORK})`, '2024-03-10 01:30:00 -0500 EST'],
  [`time.date(2024, 7, 1, 12, 0, 0, 0, ${NEW_YORK}):unix()`, '1719849600'],
  [
    `time.date(1883, 11, 18, 12, 0, 0, 0, time.utc):in_location(${NEW_YORK}):format("15:04:05 -07:00:00")`,
    '07:03:58 -04:56:02',
  ],
  ['time.date(2024, 1, 1, 12, 0, 0, 0):location():string()', 'Local'],
]);

rows('rule 57: unix, and exact nanoseconds', [
  ['time.unix(1700000000):utc()', '2023-11-14 22:13:20 +0000 UTC'],
  ['time.unix(1700000000, 123456789):utc()', '2023-11-14 22:13:20.123456789 +0000 UTC'],
  ['time.unix(0, -1):utc()', '1969-12-31 23:59:59.999999999 +0000 UTC'],
  ['time.unix(0, 2000000001):unix()', '2'],
  ['time.unix(1700000000, 123456789):nanosecond()', '123456789'],
  ['time.unix(1700000000):unix_nano()', '1.7e+18'],
  ['time.unix(1700000000, 5):sub(time.unix(1700000000, 2))', '3ns'],
  ['time.unix(1700000000):location()', 'Local'],
]);

rows('parse: layouts', [
  ['time.parse(time.RFC3339, "2024-02-29T13:04:05Z")', '2024-02-29 13:04:05 +0000 UTC'],
  ['time.parse(time.RFC3339, "2024-02-29T13:04:05.25Z")', '2024-02-29 13:04:05.25 +0000 UTC'],
  ['time.parse(time.RFC3339, "2024-02-29T13:04:05+05:30"):utc()', '2024-02-29 07:34:05 +0000 UTC'],
  ['time.parse(time.RFC3339, "2024-02-29T13:04:05+05:30"):format(time.RFC3339)', '2024-02-29T13:04:05+05:30'],
  [`time.parse(time.DATE_TIME, "2024-07-01 12:00:00", ${BERLIN})`, '2024-07-01 12:00:00 +0200 CEST'],
  ['time.parse(time.RFC850, "Thursday, 29-Feb-24 13:04:05 UTC"):unix()', '1709211845'],
  ['time.parse(time.KITCHEN, "12:05AM", time.utc):hour()', '0'],
  ['time.parse(time.KITCHEN, "1:05PM", time.utc):hour()', '13'],
  ['time.parse("3:04pm", "1:05am", time.utc):hour()', '1'],
  ['time.parse("2006 002", "2024 060", time.utc):format("Jan 2")', 'Feb 29'],
  ['time.parse("06-1-2", "69-3-4", time.utc):year()', '1969'],
  ['time.parse("06-1-2", "68-3-4", time.utc):year()', '2068'],
  ['time.parse("Jan _2 2006", "Mar  4 2024", time.utc):day()', '4'],
  ['time.parse("January 2, 2006", "march 4, 2024", time.utc):month()', '3'],
  ['time.parse("15:04:05,000", "01:02:03,456", time.utc):nanosecond()', '456000000'],
  ['time.parse("15:04:05.999", "01:02:03", time.utc):nanosecond()', '0'],
  ['time.parse("15:04:05.999", "01:02:03.5", time.utc):nanosecond()', '500000000'],
  [`time.parse("2006-01-02 15:04 MST", "2024-07-01 12:00 EDT", ${NEW_YORK}):unix()`, '1719849600'],
  ['time.parse("2006-01-02 15:04 MST", "2024-07-01 12:00 XYZ"):format("MST -0700")', 'XYZ +0000'],
  ['time.parse("2006-01-02 15:04 MST", "2024-07-01 12:00 GMT+3"):utc():hour()', '9'],
  ['time.parse("2006-01-02 -0700", "2024-07-01 -0330"):format("-07:00 Z07:00 Z0700 -07")', '-03:30 -03:30 -0330 -03'],
  ['time.parse("2006 Z", "2024 Z", time.utc):year()', '2024'],
]);

failures('parse: what does not fit is INVALID', [
  ['time.parse(time.DATE_ONLY, "2024-13-01")', 'Invalid', 'month out of range'],
  ['time.parse(time.DATE_ONLY, "2023-02-29")', 'Invalid', 'day out of range'],
  ['time.parse(time.DATE_ONLY, "2024-02-30")', 'Invalid', 'day out of range'],
  ['time.parse(time.TIME_ONLY, "25:00:00")', 'Invalid', 'hour out of range'],
  ['time.parse(time.TIME_ONLY, "12:60:00")', 'Invalid', 'minute out of range'],
  ['time.parse(time.DATE_ONLY, "2024-01-01 tail")', 'Invalid', 'extra text'],
  ['time.parse(time.DATE_ONLY, "yesterday")', 'Invalid', 'year expected'],
  ['time.parse(time.RFC3339, "2024-01-01T00:00:00")', 'Invalid', 'zone offset expected'],
  ['time.parse("15:04:05.000", "01:02:03.4")', 'Invalid', 'fraction expected'],
  ['time.parse("2006 002", "2023 366")', 'Invalid', 'day of the year out of range'],
  ['time.load_location("")', 'Invalid', 'empty'],
  ['time.load_location("Mars/Olympus")', 'NotFound', 'Mars/Olympus'],
  ['time.load_location("+05:00")', 'NotFound', ''],
]);

rows('format: what is no token is literal', [
  [`${UTC}:format("Month Monday Mon Janet Jan _2006 2_2 Z")`, 'Month Thursday Thu Janet Feb _2024 2929 Z'],
  [`${UTC}:format("002 __2 02 _2 2")`, '060  60 29 29 29'],
  [`${UTC}:format("03 3 4 5 pm .000 ,000000 .999")`, '01 1 4 5 pm .006 ,006007 .006'],
  ['time.unix(0):utc():format("05.999 05.000")', '00 00.000'],
  [`${UTC}:in_location(time.fixed_zone("", 19800)):format("MST Z07:00 Z07 -0700")`, '+0530 +05:30 +05 +0530'],
  [`${UTC}:in_location(time.load_location("Asia/Tokyo")):format("15 MST")`, '22 JST'],
  [`${UTC}:in_location(time.load_location("America/Sao_Paulo")):format("15 MST")`, '10 -03'],
]);

rows('Time: arithmetic and comparison', [
  [`${UTC}:add("1h"):format(time.TIME_ONLY)`, '14:04:05'],
  [`${UTC}:add(-time.SECOND):format(time.TIME_ONLY)`, '13:04:04'],
  [`${UTC}:add(${D}("24h")):format(time.DATE_ONLY)`, '2024-03-01'],
  [`${UTC}:sub(${UTC}:add("90m"))`, '-1h30m0s'],
  ['time.date(2024,1,31,0,0,0,0,time.utc):add_date(0, 1, 0):format(time.DATE_ONLY)', '2024-03-02'],
  ['time.date(2023,1,31,0,0,0,0,time.utc):add_date(0, 1, 0):format(time.DATE_ONLY)', '2023-03-03'],
  ['time.date(2023,11,30,0,0,0,0,time.utc):add_date(0, 3, 1):format(time.DATE_ONLY)', '2024-03-02'],
  ['time.date(2024,2,29,0,0,0,0,time.utc):add_date(-1, 0, 0):format(time.DATE_ONLY)', '2023-03-01'],
  [`time.date(2024,3,30,12,0,0,0,${BERLIN}):add_date(0, 0, 1)`, '2024-03-31 12:00:00 +0200 CEST'],
  ['time.unix(2):after(time.unix(1))', 'true'],
  ['time.unix(1, 1):before(time.unix(1, 2))', 'true'],
  ['time.unix(1):before(time.unix(1))', 'false'],
  [`time.unix(1):in_location(${BERLIN}):equal(time.unix(1):utc())`, 'true'],
  [`${UTC}:in_location(${BERLIN})`, '2024-02-29 14:04:05.006007 +0100 CET'],
  [`${UTC}:in_location(${BERLIN}):location()`, 'Europe/Berlin'],
  [`${UTC}:in_location(${BERLIN}):utc()`, '2024-02-29 13:04:05.006007 +0000 UTC'],
  [`${UTC}:in_local():location():string()`, 'Local'],
  [`${UTC}:in_location(time.fixed_zone("CAMP", -3600))`, '2024-02-29 12:04:05.006007 -0100 CAMP'],
  [`${UTC}:round(${D}("10m")):format(time.TIME_ONLY)`, '13:00:00'],
  ['time.unix(1800):round(time.parse_duration("1h")):unix()', '3600'],
  [`${UTC}:truncate(${D}("1h")):format(time.TIME_ONLY)`, '13:00:00'],
  ['time.date(2024,2,29,13,0,0,0,time.utc):truncate(time.parse_duration("168h")):weekday()', '1'],
  [
    'time.date(-1,6,1,13,30,0,0,time.utc):truncate(time.parse_duration("24h")):format(time.RFC3339)',
    '-0001-06-01T00:00:00Z',
  ],
  [`${UTC}:round(${D}("-1s")):equal(${UTC})`, 'true'],
]);

rows('Time: parts', [
  [`${UTC}:year()`, '2024'],
  [`${UTC}:month()`, '2'],
  [`${UTC}:day()`, '29'],
  [`${UTC}:hour()`, '13'],
  [`${UTC}:minute()`, '4'],
  [`${UTC}:second()`, '5'],
  [`${UTC}:nanosecond()`, '6007000'],
  [`${UTC}:weekday()`, '4'],
  ['time.unix(-86400 * 4):utc():weekday()', '0'],
  ['time.date(2024,12,31,0,0,0,0,time.utc):year_day()', '366'],
  [`table.concat({${UTC}:date()}, ",")`, '2024,2,29'],
  [`table.concat({${UTC}:clock()}, ",")`, '13,4,5'],
  [`${UTC}:format_rfc3339()`, '2024-02-29T13:04:05Z'],
  ['time.date(1,1,1,0,0,0,0,time.utc):is_zero()', 'true'],
  ['time.unix(0):is_zero()', 'false'],
  [`type(${UTC}) .. type(time.utc)`, 'userdatauserdata'],
]);

raises('wrong arguments raise', [
  ['time.date(2024, 1)', "bad argument #3 to 'date' (number expected, got no value)"],
  ['time.date(2024, 1, 1, 0, 0, 0, 0, "UTC")', 'Location expected, got string'],
  [`${UTC}:add("soon")`, "bad argument #1 to 'add' (duration expected, got string)"],
  [`${UTC}:sub(5)`, 'Time expected, got number'],
  [`${UTC}:round("1h")`, 'Duration expected, got string'],
  [`${UTC}:truncate(5)`, 'Duration expected, got number'],
  [`${UTC}:in_location(nil)`, 'Location expected, got nil'],
  ['time.unix("x")', 'number expected, got string'],
  ['time.parse({}, "x")', 'string expected, got table'],
  ['time.unix(1e300)', 'time out of range'],
  [`time.utc.string(${UTC})`, 'expected'],
]);

/** Its functions without an engine. */
const timeModule = (clock = fakeClock()) => {
  const modules: LuaModule[] = [];
  const channels: { values: unknown[]; closed: boolean }[] = [];
  const engine = {
    define: (module: LuaModule) => modules.push(module),
    defineClass: () => undefined,
    channel: () => {
      const values: unknown[] = [];
      const channel = {
        values,
        closed: false,
        get size() {
          return values.length;
        },
        push: (value: unknown) => values.push(value) > 0,
        close: () => {
          channel.closed = true;
        },
      };
      channels.push(channel);
      return channel;
    },
  } as unknown as LuaEngine;
  defineTime(engine, clock);
  const functions = modules[0]?.functions as Record<string, HostFunction>;
  return { clock, functions, channels };
};

test('sleep: waits as long as asked and leaves nothing behind', async (t) => {
  const { clock, functions } = timeModule();
  const thread = fakeThread();
  let done = false;
  const sleeping = callHost(functions.sleep, ['250ms'], thread).then((results) => {
    done = true;
    return results;
  });
  clock.advance(249);
  await null;
  t.notOk(done);
  t.equal(clock.pending, 1);
  clock.advance(1);
  t.same(await sleeping, []);
  t.equal(clock.pending, 0);
  t.equal(thread.deferred, 0);
  for (const dur of [0, -5, '-1s']) t.same(await callHost(functions.sleep, [dur], thread), [], 'returns at once');
  t.equal(clock.pending, 0);
  const [value, error] = await callHost(functions.sleep, ['soon'], thread);
  t.equal(value, undefined);
  t.match(error, { kind: 'Invalid', retryable: false });
});

test('sleep: the end of the run cancels it', async (t) => {
  const { clock, functions } = timeModule();
  const thread = fakeThread();
  void callHost(functions.sleep, [1e9], thread);
  t.equal(clock.pending, 1);
  await thread.end();
  t.equal(clock.pending, 0);
});

test("sleep: the coroutine's own signal ends it with its reason", async (t) => {
  const { clock, functions } = timeModule();
  const abort = new AbortController();
  const thread = fakeThread();
  thread.context = rootContext.withSignal(abort.signal);
  const sleeping = callHost(functions.sleep, [1e9], thread);
  const reason = canceled('no longer wanted');
  abort.abort(reason);
  await t.rejects(sleeping, reason);
  t.equal(clock.pending, 0);
  t.equal(thread.deferred, 0);
  await t.rejects(callHost(functions.sleep, [1e9], thread), reason, 'also when it had aborted before');
});

test('after: one Time, then the channel is closed; the run owns it', async (t) => {
  const { clock, functions, channels } = timeModule();
  const thread = fakeThread();
  await callHost(functions.after, ['10ms'], thread);
  clock.advance(9);
  t.equal(channels[0]?.values.length, 0);
  clock.advance(1);
  t.match(channels[0]?.values, [{ unix: Date.UTC(2026, 0, 31, 12) / 1000, ns: 10_000_000 }]);
  t.ok(channels[0]?.closed);
  t.equal(thread.deferred, 0);
  await callHost(functions.after, ['10ms'], thread);
  await thread.end();
  t.equal(clock.pending, 0);
});

test('ticker: capacity 16, and stop frees the clock', async (t) => {
  const { clock, functions, channels } = timeModule();
  const thread = fakeThread();
  const [ticker] = await callHost(functions.ticker, ['1ms'], thread);
  clock.advance(100);
  t.equal(channels[0]?.values.length, 16, 'further ticks are dropped');
  (ticker as unknown as { stop(): void }).stop();
  t.equal(clock.pending, 0);
  t.equal(thread.deferred, 0);
});

failures('after, timer and ticker want a duration above 0', [
  ...['after', 'timer', 'ticker'].flatMap((name) => [
    [`time.${name}(0)`, 'Invalid', 'duration must be > 0'] as const,
    [`time.${name}("-1s")`, 'Invalid', 'duration must be > 0'] as const,
    [`time.${name}("soon")`, 'Invalid', 'invalid duration'] as const,
  ]),
]);

test('now: monotone, in the local zone, and it measures a sleep', async (t) => {
  const bench = stdlibBench();
  t.equal(await bench.run('return tostring(time.now():location())'), 'Local');
  const slept = await bench.run('local a = time.now() time.sleep("20ms") return time.now():sub(a):milliseconds()');
  t.ok(Number(slept) >= 19, `slept ${slept} ms`);
  t.equal(
    await bench.run(
      'local a = time.now() for i = 1, 1000 do local b = time.now() if b:before(a) then return i end a = b end',
    ),
    undefined,
  );
});

test('timers and tickers in Lua, on the real engine', async (t) => {
  const bench = stdlibBench();
  const script = `
    local out = {}
    local function note(v) out[#out + 1] = tostring(v) end
    local timer = time.timer("10ms")
    note(timer:response() == timer:channel())
    local at, ok = timer:response():receive()
    note(at:unix() > 1700000000) note(ok)
    note(timer:stop() == false and "fired before") 
    timer = time.timer("5ms")
    timer:response():receive()
    note(timer:reset("5ms")) -- fired: not pending
    timer:response():receive()
    timer = time.timer("1h")
    note(timer:reset("2h"))
    note(timer:stop()) note(timer:stop())
    local r = channel.select { timer:response():case_receive() }
    note(r.ok)
    note((pcall(timer.reset, timer, 0)))
    local quick, slow = time.after("5ms"), time.after("1h")
    r = channel.select { slow:case_receive(), quick:case_receive() }
    note(r.channel == quick)
    note(select(2, quick:receive())) -- closed after its value
    local ticker = time.ticker("3ms")
    for i = 1, 3 do ticker:response():receive() end
    note(ticker:stop()) note(ticker:stop())
    return table.concat(out, " ")`;
  t.equal(
    await bench.run(script),
    'true true true fired before false true true false false false true false true true',
  );
});

test('500 sleeps at once take as long as one', async (t) => {
  const bench = stdlibBench();
  const key = contextKey('n', 0);
  const clock = systemClock();
  const began = clock.now();
  await Promise.all(Array.from({ length: 500 }, (_, n) => bench.run('time.sleep("100ms")', rootContext.with(key, n))));
  t.ok(clock.now() - began < 500 * 100 * 0.5);
});

test('timers end with the call that made them', async (t) => {
  const clock = fakeClock();
  const bench = stdlibBench({ clock });
  await bench.run(
    'time.timer("1h") time.ticker("1s") time.after("1h") coroutine.spawn(function() time.sleep("1h") end)',
  );
  await poll('no timer is left', () => clock.pending === 0);
  t.equal(clock.pending, 0);
});
