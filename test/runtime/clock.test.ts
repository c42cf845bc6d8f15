import { test } from 'tap';
import { systemClock } from '../../runtime/clock.ts';
import { runChild } from '../harness/child.ts';
import { poll } from '../harness/poll.ts';

const clock = systemClock();
const clockUrl = new URL('../../runtime/clock.ts', import.meta.url).href;

test('now is monotonic with fractions, wall is the time of day', async (t) => {
  const before = clock.now();
  t.ok(clock.now() >= before);
  t.ok(Math.abs(clock.wall() - Date.now()) < 5000);
  t.ok(Math.abs(clock.systemTime() - Date.now()) < 5000);
});

test('after runs once, not before its time, and not when it was cancelled', async (t) => {
  const began = clock.now();
  const took = await new Promise<number>((resolve) => clock.after(20.9, () => resolve(clock.now() - began)));
  t.ok(took >= 20.9, `${took} ms`);
  let ran = false;
  const cancel = clock.after(5, () => {
    ran = true;
  });
  cancel();
  cancel(); // a second time is harmless
  await new Promise<void>((resolve) => clock.after(20, resolve));
  t.notOk(ran);
});

test('negative and zero waits run soon', async (t) => {
  await new Promise<void>((resolve) => clock.after(-5, resolve));
  await new Promise<void>((resolve) => clock.after(0, resolve));
  t.pass('both ran');
});

test('waits beyond 2^31 ms do not run at once, and end when they are cancelled', async (t) => {
  let ran = false;
  const cancels = [2 ** 31, 2 ** 40].map((ms) =>
    clock.after(ms, () => {
      ran = true;
    }),
  );
  await new Promise<void>((resolve) => clock.after(50, resolve)); // a plain setTimeout would have run after 1 ms
  t.notOk(ran);
  for (const cancel of cancels) cancel();
});

test('every runs again and again until it is cancelled', async (t) => {
  let runs = 0;
  const cancel = clock.every(2, () => {
    runs += 1;
  });
  await poll('three runs', () => runs >= 3);
  cancel();
  const then = runs;
  await new Promise<void>((resolve) => clock.after(20, resolve));
  t.equal(runs, then);
});

test('unref timers let the program end, others keep it alive', async (t) => {
  const script = (options: string) =>
    `const { systemClock } = await import(${JSON.stringify(clockUrl)}); const c = systemClock();
     c.after(60_000, () => {}, { unref: true }); c.every(60_000, () => {}, { unref: true }); c.after(2 ** 33, () => {}, { unref: true });
     c.after(30, () => console.log('kept'), ${options});`;
  const run = (options: string) =>
    runChild(t, process.execPath, ['--input-type=module', '-e', script(options)]).then(({ stdout }) => stdout);
  t.same(await run('{ unref: true }'), []);
  t.same(await run('{}'), ['kept']);
});
