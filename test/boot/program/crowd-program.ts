// Run by crowd.test.ts as a process of its own, with --expose-gc: `<processes> <messages> <collector's address>`.
// Prints one line of JSON: a `Crowd`.
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadApp } from '../../../boot/app.ts';
import { createProgram } from '../../../boot/program.ts';
import { rootContext } from '../../../runtime/context.ts';
import { PROCESSES } from '../../../services/process/port.ts';

export interface Crowd {
  /** From the first spawn until all wait for a message. */
  readonly spawnMs: number;
  /** The processor time of that. */
  readonly spawnCpuMs: number;
  /** Of one process that waits, what it has on the heap: its span, its mailbox, its environment, everything. */
  readonly bytes: number;
  /** Of one message, from its send to its receipt; in order, or this would not be here. */
  readonly messageUs: number;
}

const HOST = 'crowd:host';
const [count = 0, messages = 0, url = ''] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const app = loadApp({
  dir: fileURLToPath(new URL('../apps/crowd', import.meta.url)),
  configFiles: [],
  sets: [
    'otel.enabled=true',
    `otel.endpoint=${url}`,
    'otel.batch.schedule_delay=50ms',
    'telemetry.enabled=true',
    'telemetry.listen=127.0.0.1:0',
  ],
  overrides: [],
  variables: {},
});
const program = createProgram({
  app,
  build: { version: '0.0.0', revision: '', command: 'embed' },
  variables: {},
  logTo: [{ write() {} }],
  isTerminal: false,
});
await program.start();
const processes = program.use(PROCESSES);

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
const alive = (): number => processes.hosts()[0]?.processes ?? 0;
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const spawn = async (many: number): Promise<{ spawnMs: number; spawnCpuMs: number }> => {
  const [start, startCpu] = [performance.now(), cpuMs()];
  processes.spawn({ id: 'crowd:parent', host: HOST, args: [many], context: rootContext });
  await until(() => alive() === many);
  await until(() => processes.processes(HOST).every(({ steps }) => steps > 0));
  return { spawnMs: performance.now() - start, spawnCpuMs: cpuMs() - startCpu };
};
const endAll = async (): Promise<void> => {
  for (const { pid } of processes.processes(HOST)) processes.terminate(pid);
  await until(() => alive() === 0);
};
const heapBytes = async (): Promise<number> => {
  let last = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i += 1) {
    await wait(200); // what is left to send is sent
    for (let k = 0; k < 3; k += 1) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    const { heapUsed } = process.memoryUsage();
    if (Math.abs(last - heapUsed) < 1 << 16) return heapUsed;
    last = heapUsed;
  }
  return last;
};

// What is compiled, grown and kept for the next ones is there before anything is measured.
await spawn(count / 10);
await endAll();
const before = await heapBytes();
const spawned = await spawn(count);
const bytes = ((await heapBytes()) - before) / count;
await endAll();

const received = processes.exec({ id: 'crowd:receiver', host: HOST, args: [messages], context: rootContext });
const to = processes.processes(HOST).find(({ source }) => source === 'crowd:receiver')?.pid ?? '';
const start = performance.now();
processes.spawn({ id: 'crowd:sender', host: HOST, args: [to, messages], context: rootContext });
if ((await received) !== messages) throw new Error('messages are missing');
const messageUs = ((performance.now() - start) * 1000) / messages;

const crowd: Crowd = { ...spawned, bytes, messageUs };
process.stdout.write(`${JSON.stringify(crowd)}\n`);
await program.stop();
