import { test } from 'tap';
import { HELP, parseCommandLine, UsageError } from '../../boot/arguments.ts';

test('words become a command, its arguments and its options', async (t) => {
  t.match(parseCommandLine(['run', 'app', '-c', '--config', 'a.yaml', '--config', 'b.yaml']), {
    command: 'run',
    positionals: ['app'],
    configFiles: ['a.yaml', 'b.yaml'],
    log: 'console',
  });
  t.match(parseCommandLine(['validate', 'app', '--explain', '--set', 'a.b=1', '--set', 'c=d', '-o', 'x:y:z=1']), {
    explain: true,
    sets: ['a.b=1', 'c=d'],
    overrides: ['x:y:z=1'],
    reporter: 'pretty',
    log: 'default',
  });
  t.match(parseCommandLine(['test', 'app', '--filter', 'cart', '--reporter', 'tap']), {
    filter: 'cart',
    reporter: 'tap',
  });
});

test('options of Wippy: -s -v --very-verbose --host have their effect, -e -p -m are taken without one', async (t) => {
  t.equal(parseCommandLine(['run', '-s']).log, 'silent');
  t.equal(parseCommandLine(['run', '-v']).log, 'verbose');
  t.equal(parseCommandLine(['run', '--very-verbose']).log, 'verbose');
  t.equal(parseCommandLine(['run', '-s', '-v']).log, 'silent');
  for (const x of ['-x', '--exec']) t.equal(parseCommandLine(['run', x, 'app:main']).execute, 'app:main');
  const taken = parseCommandLine(['run', 'app', '-e', '-p', '-m', '1G']);
  t.same(taken, parseCommandLine(['run', 'app']));
  t.equal(parseCommandLine(['run', '--host', 'app:terminal']).host, 'app:terminal');
});

test('-- ends options', async (t) => {
  t.same(parseCommandLine(['run', 'app', 'command', '--', '--set', '-x']).positionals, [
    'app',
    'command',
    '--set',
    '-x',
  ]);
  t.same(parseCommandLine(['invoke', 'app', 'app:f', '--', '-1']).positionals, ['app', 'app:f', '-1']);
  t.throws(() => parseCommandLine(['run', 'app', 'command', '--nope']), UsageError, 'without it they are options');
});

test('--help and --version anywhere, and nothing at all', async (t) => {
  for (const words of [[], ['help'], ['--help'], ['-h'], ['run', '--help'], ['validate', 'app', '-h']]) {
    t.equal(parseCommandLine(words).command, 'help', words.join(' '));
  }
  for (const words of [['--version'], ['run', '--version']]) t.equal(parseCommandLine(words).command, 'version');
});

test('wrong words are named, with what would be right', async (t) => {
  for (const [words, message] of [
    [['serve'], /unknown command "serve"\. Commands: run, validate, invoke, test/],
    [['--sets'], /unknown option "--sets"/],
    [['run', '--sets', 'a=b'], /--sets/],
    [['run', '--config'], /--config/],
    [['test', 'app', '--reporter', 'xml'], /--reporter: expected pretty, tap, json, got "xml"/],
  ] as const) {
    t.throws(() => parseCommandLine(words), { name: 'UsageError', message }, words.join(' '));
  }
});

test('the help names every command and option that people use', async (t) => {
  for (const word of ['run', 'list', 'validate', '--explain', 'invoke', 'test', '--filter', '--reporter', '--config'])
    t.match(HELP, new RegExp(`(?<![\\w-])${word}(?![\\w-])`), word);
  for (const word of ['--set', '-o', '-x', '-c', '-s', '-v', '--version', '--help', '--']) {
    t.ok(HELP.includes(word), word);
  }
});
