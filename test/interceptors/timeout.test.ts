import { test } from 'tap';
import { timeout } from '../../interceptors/timeout.ts';
import type { Call, CallSite, Next } from '../../runtime/call.ts';
import { callOptionsReader } from '../../runtime/call-options.ts';
import { rootContext } from '../../runtime/context.ts';
import { type CallError, canceled } from '../../runtime/errors.ts';
import { type ManualClock, manualClock } from '../runtime/metrics/manual-clock.ts';

const optionsOf = callOptionsReader();
const callWith = (written: string | number, signal = rootContext.signal): Call<string> => ({
  input: 'x',
  context: rootContext.withSignal(signal),
  options: optionsOf({ timeout: written }),
});
const settled = (out: unknown) =>
  Promise.resolve(out).then(String, (error: CallError) => `${error.kind} ${error.message}`);

const setup = (work: (call: Call<string>, clock: ManualClock) => string | Promise<string>) => {
  const clock = manualClock();
  let timeouts = 0;
  const site: CallSite<string, string> = {
    surface: 'function',
    operation: 'call',
    target: 'app:f',
    options: { onTimeout: () => (timeouts += 1) },
  };
  const next: Next<string, string> = (call) => work(call, clock);
  return { clock, site, next, run: timeout(clock).wrap(next, site), timeouts: () => timeouts };
};
const LATE = 'Timeout call timed out after 250ms: app:f';

test('a site without options keeps its own function, a call without them is handed on as it is', async (t) => {
  let seen: Call<string> | undefined;
  const { next, site, run } = setup((call) => {
    seen = call;
    return 'ok';
  });
  t.equal(timeout(manualClock()).order, 30);
  t.equal(timeout(manualClock()).wrap(next, { ...site, options: undefined }), next);
  const call: Call<string> = { input: 'x', context: rootContext };
  t.equal(run(call), 'ok');
  t.equal(seen, call);
  run(callWith('250ms'));
  t.not(seen, call);
});

test('rule 4: work that does not listen is left behind, told through its signal', async (t) => {
  let signal: AbortSignal | undefined;
  const { clock, run, timeouts } = setup(({ context }) => {
    signal = context.signal;
    return new Promise(() => {});
  });
  const out = settled(run(callWith('250ms')));
  clock.advance(249.9);
  t.equal(signal?.aborted, false);
  t.equal(timeouts(), 0);
  clock.advance(0.1);
  t.equal(await out, LATE);
  t.match(signal?.reason, { kind: 'Timeout', message: 'call timed out after 250ms: app:f', retryable: undefined });
  t.equal(timeouts(), 1);
});

test('work that listens ends before the call fails, and its own error does not replace the timeout', async (t) => {
  const order: string[] = [];
  const { clock, run, timeouts } = setup(
    ({ context }) =>
      new Promise((_resolve, reject) => {
        context.signal.addEventListener('abort', () => {
          order.push('work');
          reject(new Error('interrupted'));
        });
      }),
  );
  const out = settled(run(callWith(250e6))).finally(() => order.push('call')); // a number: nanoseconds
  clock.advance(250);
  t.equal(await out, LATE);
  t.same(order, ['work', 'call']);
  t.equal(timeouts(), 1);
});

test('what is in time is as without a timeout, and nothing is left behind', async (t) => {
  const outer = new AbortController();
  let listeners = 0;
  const { signal } = outer;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  const now = setup(() => 'ok');
  t.equal(now.run(callWith('250ms', signal)), 'ok', 'synchronous when the work is');
  const later = setup((_call, clock) => new Promise((resolve) => void clock.after(200, () => resolve('ok'))));
  const out = settled(later.run(callWith('250ms', signal)));
  t.equal(listeners, 1);
  later.clock.advance(200);
  t.equal(await out, 'ok');
  const failing = setup(() => {
    throw canceled('no');
  });
  t.throws(() => failing.run(callWith('250ms', signal)), { message: 'no' });
  t.equal(listeners, 0);
  for (const { clock, timeouts } of [now, later, failing]) {
    clock.advance(10_000);
    t.equal(timeouts(), 0, 'its timer is gone');
  }
});

test('a run that held the event loop is late too', async (t) => {
  const late = setup((_call, clock) => {
    clock.advance(0); // no timer runs while it does
    return 'ok';
  });
  let now = 0;
  late.clock.now = () => now;
  const run = timeout(late.clock).wrap<string, string>(() => {
    now += 250;
    return 'ok';
  }, late.site);
  t.throws(() => run(callWith('250ms')), { message: 'call timed out after 250ms: app:f' });
  t.equal(late.timeouts(), 1);
  t.equal(run(callWith('251ms')), 'ok');
});

test('a cancelled call is cancelled, not late', async (t) => {
  const outer = new AbortController();
  const listening = setup(
    ({ context }) =>
      new Promise((_resolve, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason))),
  );
  const out = settled(listening.run(callWith('250ms', outer.signal)));
  outer.abort(canceled('client gone'));
  t.equal(await out, 'Canceled client gone');
  listening.clock.advance(1000);
  t.equal(listening.timeouts(), 0);
  const aborted = setup(({ context }) => String(context.signal.reason.message));
  t.equal(aborted.run(callWith('250ms', outer.signal)), 'client gone', 'one that was cancelled before it began');
});
