import { constants } from 'node:os';
import { type Test, test } from 'tap';
import { startChild } from '../harness/child.ts';
import { poll } from '../harness/poll.ts';

const project = new URL('../../', import.meta.url);
/** A script whose checks go on until it is ended; `body` has `scope`, `say`, `start` and `wait`. */
const script = (body: string): string => `
  import { setTimeout as wait } from 'node:timers/promises';
  import { runChecks } from '${new URL('test/e2e/checks.ts', project)}';
  import { startChild } from '${new URL('test/harness/child.ts', project)}';
  await runChecks(async ({ scope, say }) => {
    const start = () => {
      const child = startChild(scope, process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      say('pid ' + child.pid);
      return child;
    };
    ${body}
  });`;
const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const endedBy = async (t: Test, signals: readonly NodeJS.Signals[], body: string) => {
  const running = startChild(t, process.execPath, ['--input-type=module', '-e', script(body)]);
  const pids = (): number[] =>
    running.stdout.filter((line) => line.startsWith('pid ')).map((line) => Number(line.slice(4)));
  await poll('it has started something', () => pids().length > 0);
  t.ok(pids().every(isThere), 'which runs');
  const [first, second] = signals;
  running.signal(first as NodeJS.Signals);
  if (second !== undefined) {
    // Two that are sent at once may arrive in any order.
    await poll('it is ending', () => running.stdout.includes('ending what was started'));
    running.signal(second);
  }
  const exit = await running.exited;
  t.teardown(() => {
    for (const pid of pids()) if (isThere(pid)) process.kill(pid, 'SIGKILL');
  });
  await poll('nothing that it started is left', () => !pids().some(isThere));
  return { exit, stdout: running.stdout };
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`a script that is told to end by ${signal} ends what it has started`, async (t) => {
    const body = `scope.teardown(() => say('torn down')); start(); await wait(600_000);`;
    const { exit, stdout } = await endedBy(t, [signal], body);
    t.same(exit, { code: 128 + constants.signals[signal], signal: null });
    t.ok(stdout.includes('torn down'));
    t.notOk(
      stdout.some((line) => line.includes('passed')),
      'and claims nothing of its checks',
    );
  });
}

test('what it starts while it ends is ended too, and a second signal ends it at once', async (t) => {
  const again = `scope.teardown(() => wait(600_000)); for (;;) await start().exited;`;
  const { exit } = await endedBy(t, ['SIGINT', 'SIGTERM'], again);
  t.equal(exit.code, 128 + constants.signals.SIGTERM);
});
