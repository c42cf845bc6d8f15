import { type StdioOptions, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { quietEnvironment } from './child.ts';

export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/** Runs a script that serves HTTP and says so: `... listens on http://127.0.0.1:<port>`. @throws Error when it ends instead. */
export const startServer = async (
  script: string,
  args: readonly string[],
  { stderr, variables }: { readonly stderr: number | 'inherit'; readonly variables?: Readonly<Record<string, string>> },
): Promise<Server> => {
  const stdio: StdioOptions = ['ignore', 'pipe', stderr];
  const child = spawn(process.execPath, [script, ...args], { env: { ...quietEnvironment(), ...variables }, stdio });
  const output = child.stdout;
  if (output === null) throw new Error('the output of a server is not a pipe');
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill); // whatever becomes of the row, its servers don't stay
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code} before it listened`)));
    createInterface({ input: output }).on('line', (line) => {
      const found = /listens on http:\/\/[^ ]*:(\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
  });
  return {
    port,
    async stop() {
      kill();
      await exited;
      process.off('exit', kill);
    },
  };
};
