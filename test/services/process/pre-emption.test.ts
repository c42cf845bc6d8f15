import { test } from 'tap';
import { poll } from '../../harness/poll.ts';
import { actor, IDLE, processBench } from './process-bench.ts';

/** How long others may wait at most on an idle machine, and the margin that a busy one gets (rule 138). */
const STALL_MS = 20;
const MARGIN = 16;
/** How long the endless ones run beside the ticking one. */
const RUN_MS = 500;

const ENDLESS: Readonly<Record<string, string>> = {
  'a loop': 'while true do end',
  'a loop inside pcall': 'while true do pcall(function() while true do end end) end',
  'a loop inside xpcall': 'xpcall(function() while true do end end, function(e) return e end)',
  'a loop in a coroutine of its own': 'coroutine.spawn(function() while true do end end); process.events():receive()',
  'a loop in a coroutine that is resumed':
    'local co = coroutine.create(function() while true do end end); coroutine.resume(co)',
  'a loop in a wrapped coroutine inside pcall':
    'while true do pcall(coroutine.wrap(function() while true do end end)) end',
  'arithmetic and calls': 'local function f(n) return n + 1 end local n = 0 while true do n = f(n) end',
};
const id = (name: string): string => `app:${name.replaceAll(' ', '_')}`;

/** Ticks every millisecond until it is cancelled; its result is the longest time between two ticks. */
const TICKER = `
  local stop, worst, last = process.events(), 0, host.now()
  local over = false
  coroutine.spawn(function() stop:receive(); over = true end)
  while not over do
    host.sleep(1)
    local now = host.now()
    worst = math.max(worst, now - last)
    last = now
  end
  return worst`;

test('an endless loop without host calls does not stop others', { timeout: 120_000 }, async (t) => {
  for (const [name, body] of Object.entries(ENDLESS)) {
    const bench = await processBench(t, [actor(id(name), body), actor('app:ticker', TICKER)]);
    const worst = bench.processes.exec({
      id: 'app:ticker',
      host: 'app:host',
      args: [],
      context: bench.root,
    });
    await poll('it ticks', () => bench.processes.processes('app:host')[0]?.steps ?? 0);
    const ticker = String(bench.processes.processes('app:host')[0]?.pid);
    const endless = bench.spawn(id(name));
    await new Promise((resolve) => setTimeout(resolve, RUN_MS)); // what is measured: how long they run side by side
    t.equal(bench.processes.processes('app:host').length, 2, 'the endless one runs on');
    bench.processes.cancel(ticker, 'enough');
    const stall = Number(await worst);
    t.comment(`${name}: others waited at most ${stall.toFixed(1)} ms`);
    t.ok(stall > 1 && stall < STALL_MS * MARGIN, `${name}: ${stall} ms`);
    t.equal(bench.processes.terminate(endless), true, 'and it can be ended');
    await bench.ended(2);
  }
});

test('nor do many of them together', { timeout: 120_000 }, async (t) => {
  const loops = 60; // one turn of each in a row would take 600 ms
  const bench = await processBench(t, [actor('app:endless', 'while true do end'), actor('app:ticker', TICKER)]);
  const worst = bench.processes.exec({ id: 'app:ticker', host: 'app:host', args: [], context: bench.root });
  await poll('it ticks', () => bench.processes.processes('app:host')[0]?.steps ?? 0);
  const ticker = String(bench.processes.processes('app:host')[0]?.pid);
  for (let i = 0; i < loops; i += 1) bench.spawn('app:endless');
  await poll('all of them have run twice', () => bench.processes.processes('app:host').every(({ steps }) => steps > 1));
  bench.processes.cancel(ticker, 'enough');
  const stall = Number(await worst);
  t.comment(`${loops} loops: others waited at most ${stall.toFixed(1)} ms`);
  t.ok(stall > 1 && stall < STALL_MS * MARGIN, `${stall} ms`);
  for (const { pid } of bench.processes.processes('app:host')) bench.processes.terminate(pid);
});

test('the budget of an endless loop ends it, whatever is around it; others stay', { timeout: 120_000 }, async (t) => {
  const limits = { cpu_ms: 50 };
  for (const [name, body] of Object.entries(ENDLESS)) {
    const bench = await processBench(t, [actor(id(name), body, { limits }), actor('app:idle', IDLE)]);
    const idle = bench.spawn('app:idle');
    const started = performance.now();
    const ended = bench.processes.exec({ id: id(name), host: 'app:host', args: [], context: bench.root });
    await t.rejects(ended, { message: `limit exceeded: cpu_ms 50 in ${id(name)}`, kind: 'Internal' }, name);
    t.ok(performance.now() - started >= 50, 'not before its time');
    await bench.ended(1);
    t.same(bench.rows('process_terminated_total'), ['result=error 1']);
    t.same(
      bench.processes.processes('app:host').map(({ pid }) => pid),
      [idle],
    );
    t.match(bench.recorder.span({ name: id(name) }), { status: 'error', statusMessage: /limit exceeded: cpu_ms/ });
  }
});

test('a loop that waits now and then starts its budget anew', async (t) => {
  const body =
    'for _ = 1, 10 do local from = host.now() while host.now() - from < 20 do end host.sleep(1) end return "done"';
  const bench = await processBench(t, [actor('app:fair', body, { limits: { cpu_ms: 100 } })]);
  const out = await bench.processes.exec({ id: 'app:fair', host: 'app:host', args: [], context: bench.root });
  t.equal(out, 'done');
});
