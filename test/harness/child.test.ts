import { test } from 'tap';
import { runChild, startChild } from './child.ts';
import { poll } from './poll.ts';
import { scriptScope } from './teardown.ts';

test('a child has both streams, its exit and only the environment it was given', async (t) => {
  const script = `
    process.stdout.write(JSON.stringify(Object.keys(process.env)) + '\\n');
    process.stderr.write('a\\nb');
    process.stdin.on('data', (data) => process.stdout.write(data)).on('end', () => process.exit(3));`;
  const run = await runChild(t, process.execPath, ['-e', script], { env: { GIVEN: '1' }, stdin: 'typed' });
  t.equal(run.code, 3);
  t.same(run.stderr, ['a', 'b']);
  t.equal(run.stdout[1], 'typed');
  const names = JSON.parse(run.stdout[0] ?? '[]') as string[];
  t.ok(names.includes('GIVEN') && names.includes('PATH'));
  t.notOk(names.includes('NODE_OPTIONS'), 'the test runner is not loaded into it');
});

test('a command that does not exist exits with 127', async (t) => {
  t.equal((await runChild(t, 'no-such-command-here', [])).code, 127);
});

test('what still runs at the end of its scope is killed', async (t) => {
  const scope = scriptScope();
  const child = startChild(scope, process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)']);
  await poll('it runs', () => child.stdout.length === 1);
  t.equal(child.exit(), undefined);
  await scope.end();
  t.same(await child.exited, { code: null, signal: 'SIGKILL' });
});
