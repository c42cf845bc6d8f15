import { fileURLToPath } from 'node:url';
import { type Child, type Exit, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { poll } from './poll.ts';
import { type Exposition, parsePrometheusText } from './prometheus-text.ts';
import type { Scope } from './teardown.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const bin = `${project}bin/perilune.js`;

export interface ProgramOptions {
  /** Each becomes `--set key=value`. The operations port is on, at a free port, unless set otherwise. */
  readonly set?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Environment variables that the app reads ports from; each gets a free one. */
  readonly ports?: readonly string[];
  /** After the folder on the command line. */
  readonly args?: readonly string[];
  /** Default true. False returns as soon as it is started: for programs that must fail. */
  readonly waitUntilReady?: boolean;
}

/** `perilune run <folder>`, as a process of its own. */
export interface Program extends Child {
  /** `http://127.0.0.1:<port>` of the operations port. */
  readonly operations: string;
  /** Milliseconds from the start of the process to the first 200 of `/readyz`. */
  readonly readyMs: number;
  /** The address of a service of the app, by the name of its port variable. */
  url(port: string, path?: string): string;
  scrape(accept?: string): Promise<Exposition>;
  /** Sends the signal and waits for the end. `ms` is the time that took. */
  stop(signal?: NodeJS.Signals): Promise<Exit & { readonly ms: number }>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<Exit>;
}

const readyOrEnded = async (child: Child, url: string): Promise<true> => {
  const isReady = await poll(`${url} answers 200`, async () => {
    if (child.exit() !== undefined) return 'ended' as const;
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status === 200;
  }).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${child.output()}`);
  });
  if (isReady === 'ended') throw new Error(`the program ended before it was ready\n${child.output()}`);
  return true;
};

/** An absolute path, or one relative to the project. */
const folderOf = (folder: string): string => (folder.startsWith('/') ? folder : project + folder);

/**
 * Runs the real program on an app folder, with this Node.js.
 * @throws Error with everything it wrote, when it ends or is not ready in time.
 */
export const startProgram = async (scope: Scope, folder: string, options: ProgramOptions = {}): Promise<Program> => {
  const operationsPort = await freePort();
  const ports: Record<string, number> = {};
  for (const name of options.ports ?? []) ports[name] = await freePort();
  const settings = { 'telemetry.enabled': true, 'telemetry.listen': `127.0.0.1:${operationsPort}`, ...options.set };
  const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const portVariables = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  const started = performance.now();
  const child = startChild(scope, process.execPath, [bin, 'run', folderOf(folder), ...sets, ...(options.args ?? [])], {
    env: { NO_COLOR: '1', ...portVariables, ...options.env },
  });
  const operations = `http://127.0.0.1:${operationsPort}`;
  if (options.waitUntilReady !== false) await readyOrEnded(child, `${operations}/readyz`);
  return {
    ...child,
    operations,
    readyMs: performance.now() - started,
    url: (name, path = '') => {
      const port = ports[name];
      if (port === undefined) throw new Error(`no port '${name}': list it in \`ports\``);
      return `http://127.0.0.1:${port}${path}`;
    },
    async scrape(accept) {
      const response = await fetch(`${operations}/metrics`, accept === undefined ? {} : { headers: { accept } });
      if (response.status !== 200) throw new Error(`/metrics answered ${response.status}: ${await response.text()}`);
      return parsePrometheusText(await response.text());
    },
    async stop(signal = 'SIGTERM') {
      const asked = performance.now();
      child.signal(signal);
      const exit = await child.exited;
      return { ...exit, ms: performance.now() - asked };
    },
    kill() {
      child.signal('SIGKILL');
      return child.exited;
    },
  };
};
