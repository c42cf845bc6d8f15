import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { t as root, type Test, test } from 'tap';
import { runChild, startChild } from '../harness/child.ts';
import { luaTests } from '../harness/lua-tests.ts';
import { poll } from '../harness/poll.ts';

// Each line of lua/io.md in a program of its own: that is what a terminal belongs to.
root.setTimeout(600_000);

const project = fileURLToPath(new URL('../..', import.meta.url));
const bin = `${project}bin/perilune.js`;
const app = `${project}test/lua/io`;

const io = (t: Test, args: readonly string[], stdin: string | Uint8Array = '') =>
  runChild(t, process.execPath, [bin, 'run', app, ...args], { stdin });
/** A line of the shell; `io` in it is the program. */
const shell = (t: Test, command: string) =>
  runChild(t, 'bash', ['-c', `io() { "${process.execPath}" "${bin}" run "${app}" "$@"; }; ${command}`]);

test('outside of a terminal', (t) => luaTests(t, 'test/lua/io'));

test('write: strings of the arguments back to back', async (t) => {
  const { code, stdout, stderr } = await io(t, ['write']);
  t.same(stdout, ['a12.5truenilb', 'true nil', 'an object an error', 'false no text', 'true']);
  t.same([code, stderr], [0, []]);
});

test('print and eprint: joined with TAB, with a newline, to stdout and stderr', async (t) => {
  const { stdout, stderr } = await io(t, ['print']);
  t.same(stdout, ['a\t1\tnil\tb', '', '', 'true\ttrue']);
  t.same(stderr, ['to\tstderr']);
});

test('bytes pass unchanged', async (t) => {
  const { stdout } = await shell(t, 'io bytes | od -An -tx1');
  t.same(stdout, [' 00 ff c3 a4 1b 5b 31 6d 0d 0a']);
  const copied = await shell(
    t,
    `head -c 300000 /dev/urandom > "${t.testdir({})}/in"; io copy < "${t.testdirName}/in" | cmp - "${t.testdirName}/in"`,
  );
  t.same([copied.code, copied.stderr], [0, []]);
});

test('the order of the calls is that of the output, across functions and coroutines', async (t) => {
  const { stdout } = await io(t, ['order']);
  const wanted: string[] = [];
  for (let i = 1; i <= 20; i += 1) {
    const spawned = i % 5 === 0 ? [4, 3, 2, 1, 0].map((back) => `s${i - back}.`).join('') : '';
    wanted.push(`${i}.${spawned}p${i}`);
  }
  t.same(stdout, wanted);
});

test('all of it is delivered before the program exits, also to a reader that starts late', async (t) => {
  const { stdout } = await shell(t, 'io much 20000 | (sleep 0.5; wc -c); echo "${PIPESTATUS[0]}"');
  t.same(stdout.map(Number), [20_000 * 1024, 3]);
});

test('a write that fails is an error of the process and no end of the program', async (t) => {
  const { code, stderr } = await shell(t, 'io full > /dev/full');
  t.match(stderr, [/^nil Internal false .*ENOSPC/, /^nil Internal false .*ENOSPC/]);
  t.equal(code, 5);
  const gone = await shell(t, 'io much 2000 | true; echo "${PIPESTATUS[0]}"');
  t.same([gone.stdout, gone.stderr], [['3'], []], 'a reader that went away neither');
});

test("args: what follows the command's name, also as main's parameters", async (t) => {
  t.same((await io(t, ['args', 'a b', '-c', '--', '--set', '', 'ä'])).stdout, [
    '4\t4',
    'string\ta b\ta b',
    'string\t--set\t--set',
    'string\t\t',
    'string\tä\tä',
  ]);
  t.same((await io(t, ['args'])).stdout, ['0\t0']);
});

test('read: up to n bytes, 1024 where n is no count, an error at the end', async (t) => {
  const end = '-\tnil Unavailable false end of input (EOF)';
  const { stdout } = await io(t, ['read', '--', '2', '2.9', '100', '1'], 'helloworld');
  t.same(stdout, ['2\t"he"', '2\t"ll"', '6\t"oworld"', end, 'false']);
  const long = await io(t, ['read', '--', 'none', '0', '-5', '4000'], 'x'.repeat(3500));
  t.same(
    long.stdout.map((line) => line.split('\t')[0]),
    ['1024', '1024', '1024', '428', 'false'],
  );
  t.equal((await io(t, ['read', '1'])).stdout[0], end, 'no input at all');
});

test('readline: without \\n and \\r\\n; the last line may have neither; an error at the end, again and again', async (t) => {
  const end = 'nil Unavailable false end of input (EOF)';
  const { stdout } = await io(t, ['lines'], 'a\n\nb\r\n\rc\r\n\r\nlast\r');
  t.same(stdout, ['"a"', '""', '"b"', '"\\13c"', '""', '"last\\13"', end, end, end]);
  t.same((await io(t, ['lines'], 'one\n')).stdout, ['"one"', end, end, end]);
  const long = 'y'.repeat(500_000);
  t.equal((await io(t, ['lines'], `${long}\nz`)).stdout[0], `"${long}"`);
});

test('read and readline wait, others run meanwhile; what comes is taken at once', async (t) => {
  const child = startChild(t, process.execPath, [bin, 'run', app, 'talk'], { stdin: { isOpen: true } });
  const said = (text: string) => poll(text, () => child.stdout.includes(text));
  await said('ready');
  child.type('ab');
  await said('one:\tab');
  child.type('cd');
  child.type('e\n');
  await said('line:\tcde');
  await said('both wait');
  child.type('first\nsecond\n');
  await said('in order:\t1=first\t2=second');
  await said('others ran meanwhile:\ttrue');
  t.equal((await child.exited).code, 0, 'an input that is still open keeps nobody');
});

test('raw: no terminal', async (t) => {
  const { stdout } = await io(t, ['raw'], 'x');
  t.same(stdout, ['raw:\tnil Unavailable false standard input is no terminal', 'key:\tx', 'type:\tfalse']);
});

// `script` runs a program on a terminal of its own; `stty` there shows what is left of it.
const LEFT = `stty -a | tr ' ' '\\n' | grep -x -e '-\\?icanon;\\?'`;
const onTerminal = (t: Test, args: string) =>
  startChild(
    t,
    'script',
    ['-qec', `"${process.execPath}" "${bin}" run "${app}" raw ${args}; echo "code $?"; ${LEFT}`, '/dev/null'],
    { stdin: { isOpen: true } },
  );

const hasScript = (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/script`));
test('raw: keys come one by one; the mode is restored at the end, also of a process that failed', {
  skip: hasScript && process.platform === 'linux' ? false : 'needs script of util-linux',
}, async (t) => {
  const child = onTerminal(t, 'back');
  await poll('raw', () => child.stdout.some((line) => line.includes('raw:\t"true"')));
  child.type('k'); // without Enter
  await poll('cooked', () => child.stdout.some((line) => line.includes('cooked:\t"true"')));
  child.type('a line\n');
  await child.exited;
  t.match(child.output(), /key:\tk\b[\s\S]*line:\ta line\b[\s\S]*code 0[\s\S]*out\| icanon/);

  const failing = onTerminal(t, 'fail');
  await poll('raw', () => failing.stdout.some((line) => line.includes('raw:\t"true"')));
  failing.type('k');
  await failing.exited;
  t.match(failing.output(), /left raw[\s\S]*code 1[\s\S]*out\| icanon/);
});

test('neither functions that are called nor processes that are spawned are on the terminal', async (t) => {
  t.same((await io(t, ['outside'])).stdout, [
    'inside\t"true"',
    'process\tnil no terminal context 0',
    'function\tnil no terminal context 0',
    'inside still\t"true"',
  ]);
});

test('the module has to be declared', async (t) => {
  const { code, stderr } = await io(t, ['undeclared']);
  t.equal(code, 1);
  t.match(stderr.join(), /module 'io' not found/);
});
