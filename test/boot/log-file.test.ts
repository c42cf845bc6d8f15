import { readFileSync } from 'node:fs';
import { t as root, type Test, test } from 'tap';
import { runChild, startChild } from '../harness/child.ts';
import { poll } from '../harness/poll.ts';
import { bin, e2e, project } from './cli-app.ts';

// Each process takes seconds where all tests run at once.
root.setTimeout(600_000);

/** A shell's words that send standard error into a file. */
const intoFile = (file: string, args: readonly string[]): readonly string[] => [
  '-c',
  `exec "$@" 2>"${file}"`,
  'sh',
  process.execPath,
  ...args,
];

/** Runs `body` in a process whose standard error is a file, with a `logger` to it. @returns the file's lines */
const linesOf = async (t: Test, body: string) => {
  const file = `${t.testdir({})}/stderr.log`;
  const url = (path: string): string => JSON.stringify(`${project}${path}`);
  const script = `
    import { standardErrorLog } from ${url('boot/commands/terminal.ts')};
    import { createLogger } from ${url('services/log/logger.ts')};
    import { systemClock } from ${url('runtime/clock.ts')};
    const logger = createLogger({ level: 'info', encoding: 'json', clock: systemClock(), destinations: [standardErrorLog()] });
    ${body}`;
  const { code, signal } = await runChild(t, 'sh', intoFile(file, ['--input-type=module', '-e', script]), {
    cwd: project,
  });
  const text = readFileSync(file, 'utf8');
  return { code, signal, text, messages: [...text.matchAll(/"msg":"([^"]*)"/g)].map(([, message]) => message) };
};

test('lines in a file: none is lost when the process ends, however it does', async (t) => {
  const three = `for (const text of ['a', 'b', 'c']) logger.info(text);`;
  const ended = await linesOf(t, three);
  t.same([ended.code, ended.messages], [0, ['a', 'b', 'c']], 'by itself');
  const exited = await linesOf(t, `${three} process.exit(3);`);
  t.same([exited.code, exited.messages], [3, ['a', 'b', 'c']], 'process.exit in the same turn');
  const crashed = await linesOf(t, `${three} throw new Error('nobody catches this');`);
  t.same([crashed.code, crashed.messages], [1, ['a', 'b', 'c']], 'an error that nobody caught');
  t.match(crashed.text, 'nobody catches this');
});

test('lines in a file: what a killed process leaves', async (t) => {
  const kill = `process.kill(process.pid, 'SIGKILL'); while (true) {}`;
  const error = await linesOf(t, `logger.info('a'); logger.error('b'); ${kill}`);
  t.same([error.signal, error.messages], ['SIGKILL', ['a', 'b']], 'an error, and what came before it');
  const nextTurn = await linesOf(
    t,
    `logger.info('a'); await new Promise((r) => setImmediate(r)); logger.info('b'); ${kill}`,
  );
  t.same(nextTurn.messages, ['a'], 'the turns before; only what was written in the last one is gone');
});

test('a program whose lines go to a file ends on SIGTERM with all of them', async (t) => {
  const file = `${t.testdir({})}/stderr.log`;
  const child = startChild(t, 'sh', intoFile(file, [bin, 'run', e2e]), { cwd: project });
  await poll('it has started', () => child.stdout.some((line) => line.startsWith('traces:')));
  child.signal('SIGTERM');
  t.equal((await child.exited).code, 0);
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.ok(lines.some(({ msg }) => msg === 'listening'));
  t.ok(lines.some(({ msg }) => msg === 'stopping'));
  const times = lines.map(({ time }) => String(time));
  t.same(times, [...times].sort(), 'in their order');
});
