import { test } from 'tap';
import { parseDurationMs, parseDurationNs } from '../../runtime/duration.ts';

test("Go's duration texts (lua/common.md, section 8)", async (t) => {
  for (const [text, ns] of [
    ['0', 0],
    ['1ns', 1],
    ['3us', 3e3],
    ['3µs', 3e3],
    ['3μs', 3e3],
    ['250ms', 250e6],
    ['5s', 5e9],
    ['2m', 120e9],
    ['1h', 3600e9],
    ['1m30s', 90e9],
    ['1h2m3s4ms5us6ns', 3_723_004_005_006],
    ['-1.5h', -5400e9],
    ['+.5s', 0.5e9],
    ['1.s', 1e9],
    ['0.1ms', 1e5],
  ] as const) {
    t.equal(parseDurationNs(text), ns, text);
  }
});

test('what is no duration is undefined', async (t) => {
  for (const text of ['', '5', 's', '5 s', '1d', '1m 30s', '-', '1e3s', '.s', '5S', '1h-2m', 'soon', '1ms2']) {
    t.equal(parseDurationNs(text), undefined, JSON.stringify(text));
    t.equal(parseDurationMs(text), undefined);
  }
});

test('milliseconds keep fractions', async (t) => {
  t.equal(parseDurationMs('1m'), 60_000);
  t.equal(parseDurationMs('100us'), 0.1);
  t.equal(parseDurationMs('-2s'), -2000);
});
