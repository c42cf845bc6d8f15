import { test } from 'tap';
import { baselineOf, lastingRegressions, regressions } from '../../bench/gate.ts';
import { byTurns, median } from '../../bench/measure.ts';
import { type Result, resultsOf } from '../../bench/row.ts';

const result = (name: string, peer: string, ratio: number): Result => ({
  name,
  peer,
  unit: 'ns',
  value: 1,
  peerValue: ratio,
  ratio,
});
const RECORDED = [
  result('counter.add', 'prom-client', 40),
  result('counter.add', 'otel', 120),
  result('b', 'off', 0.6),
];
const BASELINE = baselineOf(RECORDED);

test('the gate lets pass what is as it was, better, new, or within the threshold', async (t) => {
  t.same(regressions(BASELINE, RECORDED, 10), []);
  t.same(regressions(BASELINE, RECORDED, 0), [], 'a baseline is not above what it was made from');
  const changed = [
    result('counter.add', 'prom-client', 36.1),
    result('counter.add', 'otel', 900),
    result('b', 'off', 0.6),
    result('c', 'off', 0.01),
  ];
  t.same(regressions(BASELINE, changed, 10), []);
});

test('the gate fails what is worse, was not measured, or is no number', async (t) => {
  const [first, second, third] = RECORDED as [Result, Result, Result];
  const worse = regressions(BASELINE, [result('counter.add', 'prom-client', 35.9), second, third], 10);
  t.same(worse, [{ name: 'counter.add', problem: 'counter.add prom-client: ratio 35.9, baseline 40: 10 % worse' }]);
  t.equal(regressions(BASELINE, [result('counter.add', 'prom-client', Number.NaN), second, third], 10).length, 1);
  t.match(regressions(BASELINE, [first, second], 10), [{ name: 'b', problem: /was not measured/ }]);
  t.same(
    regressions(BASELINE, [first, second], 10, (name) => name !== 'b'),
    [],
    'it was not asked for',
  );
});

test('a row that falls short is measured again on its own: noise passes, what lasts does not', async (t) => {
  const run = async (later: number) => {
    const asked: string[][] = [];
    const worse = await lastingRegressions({
      baseline: BASELINE,
      percent: 10,
      names: new Set(['counter.add', 'b']),
      async measure(names) {
        asked.push([...names]);
        const ratio = asked.length === 1 ? 0.3 : later;
        return [...RECORDED.slice(0, 2), result('b', 'off', ratio)].filter(({ name }) => names.has(name));
      },
    });
    return { asked, worse: worse.map(({ name }) => name) };
  };
  t.same(await run(0.59), { asked: [['counter.add', 'b'], ['b']], worse: [] });
  t.same(await run(0.3), { asked: [['counter.add', 'b'], ['b'], ['b']], worse: ['b'] });
});

test('a seeded slowdown of a measured row fails the gate', async (t) => {
  const work = (rounds: number): number => {
    let sum = 0;
    for (let i = 0; i < rounds; i += 1) sum = (sum * 31 + i) | 0;
    return sum;
  };
  const timed = (rounds: number) => async () => {
    const start = performance.now();
    work(rounds);
    return performance.now() - start;
  };
  const row = { name: 'seeded', unit: 'ms', better: 'lower', atLeast: { peer: 1 } } as const;
  const measured = async (rounds: number) =>
    resultsOf(row, await byTurns({ ours: timed(rounds), peer: timed(100_000) }, { rounds: 9 }));
  const baseline = baselineOf(await measured(100_000));
  const slowed = await measured(3_200_000); // 32 times the work: no noise of a machine looks like it
  t.equal(regressions(baseline, slowed, 10).length, 1, JSON.stringify({ baseline, slowed }));
});

test('a ratio above 1 says that we are better, whatever the unit', async (t) => {
  const base = { name: 'x', unit: 'ns', atLeast: { peer: 1 } } as const;
  t.equal(resultsOf({ ...base, better: 'lower' }, { ours: 2, peer: 10 })[0]?.ratio, 5);
  t.equal(resultsOf({ ...base, better: 'higher' }, { ours: 10, peer: 2 })[0]?.ratio, 5);
  t.throws(() => resultsOf({ ...base, better: 'lower' }, { ours: 2 }), /x: 'peer' was measured as undefined/);
  t.throws(() => resultsOf({ ...base, better: 'lower' }, { ours: Number.NaN, peer: 1 }), /'ours' was measured as NaN/);
});

test('sides are read by turns, each round from another one on; the rounds of the warm-up are left out', async (t) => {
  const order: string[] = [];
  const side = (name: string, first: number) => async () => {
    order.push(name);
    return order.length <= 2 ? 1e9 : first + order.length;
  };
  const readings = await byTurns({ a: side('a', 0), b: side('b', 100) }, { rounds: 2 });
  t.same(order, ['b', 'a', 'a', 'b', 'b', 'a']);
  t.same(readings, { a: 4.5, b: 104.5 });
  t.equal(median([3, 1, 2]), 2);
  t.throws(() => median([]), /no values/);
});
