import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL'];

/** Nothing that would change what is measured: no OTEL_*, no NODE_OPTIONS. */
export const quietEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));

/** A process of this folder that answers questions. */
export interface Child {
  /** @throws Error with what the process failed with. */
  ask<T>(question: unknown): Promise<T>;
  stop(): Promise<void>;
}

interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

const nextAnswer = (child: ChildProcess, name: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const onMessage = (answer: unknown): void => {
      child.off('exit', onExit);
      resolve(answer as Answer);
    };
    const onExit = (code: number | null, signal: string | null): void => {
      child.off('message', onMessage);
      reject(new Error(`${name} ended with ${signal ?? code} before it answered`));
    };
    child.once('message', onMessage);
    child.once('exit', onExit);
  });

/** Starts `processes/<name>.ts`; `stderr` is a file descriptor for what it writes there. */
export const startChild = async (
  name: string,
  args: readonly string[] = [],
  { stderr }: { readonly stderr?: number } = {},
): Promise<Child> => {
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const child = fork(script, args, {
    env: quietEnvironment(),
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'inherit', stderr ?? 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ask = async <T>(question?: unknown): Promise<T> => {
    const answered = nextAnswer(child, name);
    if (question !== undefined) child.send(question as object);
    const { value, error } = await answered;
    if (error !== undefined) throw new Error(`${name}: ${error}`);
    return value as T;
  };
  await ask(); // it says when it is ready
  return {
    ask,
    async stop() {
      // It ends itself then, and with it what it has started; one that cannot is ended.
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
      await exited;
      clearTimeout(timer);
    },
  };
};
