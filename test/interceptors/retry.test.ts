import { test } from 'tap';
import { retry } from '../../interceptors/retry.ts';
import type { Call, CallSite, Next } from '../../runtime/call.ts';
import { callOptionsReader } from '../../runtime/call-options.ts';
import { rootContext } from '../../runtime/context.ts';
import { CallError, type CallErrorOptions, canceled, unavailable } from '../../runtime/errors.ts';
import { manualClock } from '../runtime/metrics/manual-clock.ts';

const site: CallSite<string, string> = {
  surface: 'function',
  operation: 'call',
  target: 'app:f',
  options: { onTimeout: () => {} },
};
const optionsOf = callOptionsReader();
const callWith = (options: Record<string, unknown>, signal = rootContext.signal): Call<string> => ({
  input: 'x',
  context: rootContext.withSignal(signal),
  options: optionsOf({ retry: options }),
});
const settled = (out: unknown) => Promise.resolve(out).then(String, (error: CallError) => error.message);
const microtasks = () => new Promise((resolve) => setImmediate(resolve));

/** Runs calls whose attempts end as listed, the last entry for ever: an error fails it. Tells when each attempt began. */
const setup = (outcomes: readonly (CallError | string)[], random = () => 0.5) => {
  const clock = manualClock();
  const begun: { at: number; attempt: number | undefined }[] = [];
  const next: Next<string, string> = ({ attempt }) => {
    begun.push({ at: clock.now(), attempt });
    const outcome = outcomes[Math.min(begun.length, outcomes.length) - 1] as CallError | string;
    if (typeof outcome === 'string') return outcome;
    if (begun.length % 2 === 0) return Promise.reject(outcome); // both ways to fail
    throw outcome;
  };
  const run = retry(clock, 20, random).wrap(next, site);
  /** Lets all waits pass. */
  const finish = async (out: unknown) => {
    const text = settled(out);
    for (let i = 0; i < 50; i += 1) {
      await microtasks();
      clock.advance(60_000);
    }
    return text;
  };
  return { clock, begun, run, next, finish };
};
const down = unavailable('down');

test('a site without options keeps its own function, a call without them is handed on as it is', async (t) => {
  const next: Next<string, string> = (call) => {
    seen = call;
    return 'ok';
  };
  let seen: Call<string> | undefined;
  const interceptor = retry(manualClock());
  t.equal(interceptor.order, 20);
  t.equal(interceptor.wrap(next, { ...site, options: undefined }), next);
  const call: Call<string> = { input: 'x', context: rootContext };
  t.equal(interceptor.wrap(next, site)(call), 'ok');
  t.equal(seen, call);
});

test('success at once stays synchronous, and is attempt 1', async (t) => {
  const { run, begun } = setup(['ok']);
  t.equal(run(callWith({ max_attempts: 3 })), 'ok');
  t.same(begun, [{ at: 0, attempt: 1 }]);
});

test('attempts are numbered, and as many as asked for; the last error is the outcome', async (t) => {
  const failing = setup([unavailable('one'), unavailable('two'), unavailable('three')]);
  t.equal(await failing.finish(failing.run(callWith({ max_attempts: 3 }))), 'three');
  t.same(
    failing.begun.map(({ attempt }) => attempt),
    [1, 2, 3],
  );
  const recovering = setup([down, down, 'ok']);
  t.equal(await recovering.finish(recovering.run(callWith({ max_attempts: 9 }))), 'ok');
  t.equal(recovering.begun.length, 3);
});

/** When each attempt begins, by single milliseconds of the clock. */
const beginnings = async (options: Record<string, unknown>, random?: () => number) => {
  const { clock, begun, run } = setup([down], random);
  const out = settled(run(callWith(options)));
  for (let i = 0; i < 1500; i += 1) {
    await Promise.resolve().then(() => {}); // the failure of an attempt takes a few turns to be seen
    if (i % 50 === 0) await microtasks();
    clock.advance(1);
    await microtasks();
  }
  return { out, at: begun.map(({ at }) => at) };
};

test('delays: min(initial * factor^(n-2), max), plus or minus the jitter', async (t) => {
  const base = { max_attempts: 5, initial_delay: '100ms', max_delay: '300ms', backoff_factor: 2 };
  t.same((await beginnings({ ...base, jitter: 0 })).at, [0, 100, 300, 600, 900]);
  t.same((await beginnings({ ...base, jitter: 0.5 }, () => 0)).at, [0, 50, 150, 300, 450], 'the earliest');
  t.same((await beginnings({ ...base, jitter: 0.5 }, () => 1)).at, [0, 150, 450, 900, 1350], 'the latest');
  t.same((await beginnings({ max_attempts: 3 })).at, [0, 100, 300], 'the defaults: 100ms, factor 2');
});

test('what is tried again: retryable first, then skip_kinds, then retry_kinds', async (t) => {
  const cases: [CallErrorOptions, Record<string, unknown>, boolean][] = [
    [{ kind: 'Unavailable' }, {}, true],
    [{ kind: 'Timeout' }, {}, true],
    [{ kind: 'RateLimited' }, {}, true],
    [{ kind: 'Conflict' }, {}, true],
    [{ kind: 'Internal' }, {}, false],
    [{}, {}, false],
    [{ kind: 'NotFound' }, {}, false],
    [{ kind: 'Unavailable', retryable: false }, {}, false],
    [{ kind: 'Internal', retryable: true }, {}, true],
    [{ kind: 'Internal', retryable: true }, { skip_kinds: ['Internal'] }, false],
    [{}, { skip_kinds: ['Internal'], retry_kinds: ['Internal'] }, false],
    [{ kind: 'NotFound' }, { retry_kinds: ['NotFound'] }, true],
    [{ kind: 'Unavailable' }, { retry_kinds: ['NotFound'] }, false],
    [{ kind: 'Unavailable' }, { retry_kinds: {} }, false],
    [{ kind: 'Canceled', retryable: true }, { retry_kinds: ['Canceled'] }, false],
  ];
  for (const [error, options, isTriedAgain] of cases) {
    const { run, begun, finish } = setup([new CallError('no', error), 'ok']);
    const out = await finish(run(callWith({ max_attempts: 2, ...options })));
    const title = JSON.stringify([error, options]);
    t.equal(begun.length, isTriedAgain ? 2 : 1, title);
    t.equal(out, isTriedAgain ? 'ok' : 'no', title);
  }
});

test('a cancelled call is never tried again: neither while it runs nor while it waits', async (t) => {
  const during = new AbortController();
  const { clock, begun, run } = setup([down]);
  const waiting = settled(run(callWith({ max_attempts: 5 }, during.signal)));
  await microtasks();
  during.abort(canceled('client gone'));
  t.equal(await waiting, 'client gone');
  clock.advance(60_000);
  await microtasks();
  t.equal(begun.length, 1);

  const before = new AbortController();
  let calls = 0;
  const ended = retry(manualClock()).wrap<string, string>(() => {
    calls += 1;
    before.abort(canceled('client gone'));
    throw down;
  }, site)(callWith({ max_attempts: 5 }, before.signal));
  t.equal(await settled(ended), 'down');
  t.equal(calls, 1);
});

test('the ids of the last span reach what is further out', async (t) => {
  const call = callWith({ max_attempts: 2 });
  let n = 0;
  const clock = manualClock();
  const out = retry(clock).wrap<string, string>((own) => {
    n += 1;
    own.trace = { traceId: 'a'.repeat(32), spanId: String(n).repeat(16) };
    if (n === 1) throw down;
    return 'ok';
  }, site)(call);
  await microtasks();
  clock.advance(1000);
  t.equal(await out, 'ok');
  t.equal(call.trace?.spanId, '2'.repeat(16));
});
