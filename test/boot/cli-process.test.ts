import { t as root, type Test, test } from 'tap';
import { runChild, startChild } from '../harness/child.ts';
import { poll } from '../harness/poll.ts';
import { APP, bin, e2e, project } from './cli-app.ts';

// Each process takes seconds where all tests run at once.
root.setTimeout(600_000);

const perilune = (t: Test, args: readonly string[], env: Record<string, string> = {}) =>
  runChild(t, process.execPath, [bin, ...args], { env, cwd: project });

test('a process: logs on stderr as JSON lines, exit 0 after SIGTERM', async (t) => {
  const child = startChild(t, process.execPath, [bin, 'run', e2e], { cwd: project });
  await poll('it has started', () => child.stdout.some((line) => line.startsWith('traces:')));
  child.signal('SIGTERM');
  t.equal((await child.exited).code, 0);
  t.match(child.stdout[0] ?? '', /^e2e:gateway listens on /);
  for (const line of child.stderr) t.doesNotThrow(() => JSON.parse(line));
});

test('an app whose processes only wait for messages stays until a signal', async (t) => {
  const dir = t.testdir({
    '_index.yaml': `namespace: app
entries:
  - { name: host, kind: process.host, lifecycle: { auto_start: true } }
  - { name: waiter, kind: process.lua, source: "return function() process.events():receive() end" }
  - { name: service, kind: process.service, process: waiter, host: host, lifecycle: { auto_start: true } }
`,
  });
  const child = startChild(t, process.execPath, [bin, 'run', dir], { cwd: project });
  await poll('it has started', () => child.stdout.some((line) => line.startsWith('traces:')));
  // With nothing left to do Node.js ends a program within moments.
  const begin = performance.now();
  await poll('it stays', () => child.exit() !== undefined || performance.now() - begin > 1500);
  t.equal(child.exit(), undefined, child.output());
  child.signal('SIGTERM');
  t.same([(await child.exited).code, child.stderr.filter((line) => !line.startsWith('{'))], [0, []]);
});

test('the process ends by itself after each command, with its code', { timeout: 240_000 }, async (t) => {
  const dir = t.testdir({
    ...APP,
    'tests.yaml':
      'namespace: tests\nentries: [{name: one, kind: function.lua, source: "return function() end", method: x, meta: {type: test}}]\n',
  });
  for (const [args, code] of [
    [['validate', dir], 0],
    [['validate', `${dir}/none`], 2],
    [['invoke', dir, 'app:sum', '1'], 0],
    [['invoke', dir, 'app:break'], 1],
    [['test', dir], 0],
    [['run', dir, 'no-such-command'], 2],
  ] as const) {
    t.equal((await perilune(t, args)).code, code, args[0]);
  }
});

test('main itself leaves nothing open: a process without process.exit ends as well', {
  timeout: 240_000,
}, async (t) => {
  const dir = t.testdir(APP);
  const script = (argv: readonly string[]): string =>
    `const { main } = await import(${JSON.stringify(`${project}boot/cli.ts`)}); process.exitCode = await main(${JSON.stringify(argv)});`;
  for (const argv of [
    ['invoke', dir, 'app:sum', '1'],
    ['test', dir],
    ['validate', e2e, '--explain'],
    ['invoke', e2e, 'e2e:compute', '[1]'],
  ]) {
    const ended = startChild(t, process.execPath, ['--input-type=module', '-e', script(argv)], { cwd: project });
    t.equal((await poll(`${argv} ends`, () => ended.exit())).code, 0, `${argv}`);
  }
});

test('a reader that goes away early is no error', async (t) => {
  const command = `"${process.execPath}" "${bin}" validate --explain "${e2e}" | head -1`;
  const { stdout, stderr } = await runChild(t, 'bash', ['-c', command]);
  t.same([stdout.length, stderr], [1, []]);
});
