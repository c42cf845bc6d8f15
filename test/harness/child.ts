import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Scope } from './teardown.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program that a test started, with everything it has written so far. */
export interface Child {
  readonly pid: number;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  /** Resolves when the program has ended and both streams are read to their end. */
  readonly exited: Promise<Exit>;
  /** Undefined while it runs. */
  exit(): Exit | undefined;
  signal(name: NodeJS.Signals): void;
  /** Writes to its standard input, which has to be open. */
  type(text: string): void;
  /** Both streams, for the message of a failure. */
  output(): string;
}

export interface ChildOptions {
  /** Added to PATH, HOME, TMPDIR and the locale; nothing else is inherited (no OTEL_*, no NODE_OPTIONS of the test runner). */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** What it reads, after which its input ends; where it is open, `type` says more. Default: nothing. */
  readonly stdin?: string | Uint8Array | { readonly isOpen: true };
}

const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'XDG_CACHE_HOME'];

/** The environment of a child: what it cannot do without, and what is given. */
const childEnvironment = (env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  const kept = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), ...env };
};

const collectLines = (stream: Readable | null, into: string[]): Promise<void> => {
  if (stream === null) return Promise.resolve();
  const lines = createInterface({ input: stream });
  lines.on('line', (line) => into.push(line));
  return new Promise((resolve) => lines.once('close', resolve));
};

const ended = (child: ChildProcess): Promise<Exit> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });

/** A script that is told to end may start one more before it does. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts a program (exit code 127: there is none of that name); the scope kills it (SIGKILL) if it is still there at the end. No child outlives the exit of this process. */
export const startChild = (
  scope: Scope,
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Child => {
  // The test runner's preload puts NODE_OPTIONS into the environment of everything spawned: `env` takes it out again and
  // becomes the program, so that a child starts as it does for a user, and as fast.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', command, ...args], {
    cwd: options.cwd,
    env: childEnvironment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A program that ends without reading its input closes the pipe: EPIPE here says nothing about the test.
  child.stdin.on('error', () => {});
  const { stdin = '' } = options;
  if (typeof stdin === 'string' || stdin instanceof Uint8Array) child.stdin.end(stdin);
  const stdout: string[] = [];
  const stderr: string[] = [];
  const read = Promise.all([collectLines(child.stdout, stdout), collectLines(child.stderr, stderr)]);
  let exit: Exit | undefined;
  alive.add(child);
  const exited = ended(child).then(async (result) => {
    alive.delete(child);
    await read;
    exit = result;
    return result;
  });
  // Whoever waits sees the failure; without a waiter it must not end the test runner.
  exited.catch(() => {});
  scope.teardown(async () => {
    if (exit === undefined && child.pid !== undefined) {
      child.kill('SIGKILL');
      await exited;
    }
  });
  return {
    pid: child.pid ?? -1,
    stdout,
    stderr,
    exited,
    exit: () => exit,
    signal: (name) => {
      child.kill(name);
    },
    type: (text) => void child.stdin.write(text),
    output: () => [...stdout.map((line) => `out| ${line}`), ...stderr.map((line) => `err| ${line}`)].join('\n'),
  };
};

/** Runs a program to its end. */
export const runChild = async (
  scope: Scope,
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Exit & { readonly stdout: readonly string[]; readonly stderr: readonly string[] }> => {
  const child = startChild(scope, command, args, options);
  const exit = await child.exited;
  return { ...exit, stdout: child.stdout, stderr: child.stderr };
};
