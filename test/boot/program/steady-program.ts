// Run by steady-state.test.ts as a process of its own, with --expose-gc: `<calls> <collector's address> [leak]`. With `leak`
// every call leaves something behind. Prints one line of JSON: a `Steadiness`.
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadApp } from '../../../boot/app.ts';
import { createProgram } from '../../../boot/program.ts';
import { rootContext } from '../../../runtime/context.ts';
import { FUNCTIONS } from '../../../services/function/port.ts';
import { parsePrometheusText, total } from '../../harness/prometheus-text.ts';

export interface Footprint {
  /** After garbage was collected. */
  readonly heapBytes: number;
  /** `process.getActiveResourcesInfo()`, counted. */
  readonly handles: Readonly<Record<string, number>>;
}
export interface Steadiness {
  /** After the warm-up, and after each third of the calls. */
  readonly footprints: readonly Footprint[];
  /** What a call has left on the heap, in the middle one of the thirds: V8 gives memory back, and takes it, when it likes. */
  readonly bytesPerCall: number;
  /** Of all kinds, at most; sockets to the collector come and go. */
  readonly moreHandles: number;
  /** Messages that the consumer has done, of those that were published. */
  readonly shipped: number;
  readonly published: number;
  readonly lines: number;
}

/** Until then code is compiled, tables grow and every series is made. */
const WARM_UP_CALLS = 4000;
const PARTS = 3;
const AT_ONCE = 64;
/** How often it is looked whether everything has come to rest. */
const LOOKS = 30;
const LOOK_MS = 300;
/** Between two looks. */
const AT_REST_BYTES = 1 << 17;

const [calls = 0, url = '', leak = ''] = [Number(process.argv[2]), process.argv[3], process.argv[4]];
const set = {
  'otel.enabled': true,
  'otel.metrics_enabled': true,
  'otel.endpoint': url,
  'otel.batch.schedule_delay': '50ms',
  'metrics.exponential_histograms': '["function_duration"]',
};
const app = loadApp({
  dir: fileURLToPath(new URL('../apps/steady', import.meta.url)),
  configFiles: [],
  sets: Object.entries(set).map(([key, value]) => `${key}=${value}`),
  overrides: [],
  variables: {},
});
let lines = 0;
const program = createProgram({
  app,
  build: { version: '0.0.0', revision: '', command: 'embed' },
  variables: {},
  logTo: [
    {
      write() {
        lines += 1;
      },
    },
  ],
  isTerminal: false,
});
await program.start();

const left: unknown[] = [];
const call = async (number: number): Promise<void> => {
  await program.use(FUNCTIONS).call('steady:order', [number], rootContext);
  if (leak === '') return;
  left.push({ number, text: `call ${number}`, seen: new Map([[number, lines]]) });
  if (number % 100 === 0) setInterval(() => {}, 2 ** 30);
};
const drive = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, k) => call(i + k)));
    await new Promise((resolve) => setImmediate(resolve));
  }
};
const footprint = (): Footprint => {
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  // More than one, and the thorough kind: V8 lets go of code and caches that have not been used for several collections.
  for (let i = 0; i < 3; i += 1) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  return { heapBytes: process.memoryUsage().heapUsed, handles };
};
const shipped = async (): Promise<number> => {
  const { body } = await program.metrics.render({});
  return total(parsePrometheusText(body.toString()), 'wippy_queue_messages_total', { result: 'ack' }) ?? 0;
};
/** Everything published has been consumed, what is left to send is sent, and the heap has come to rest. */
const rest = async (wanted: number): Promise<Footprint> => {
  for (let i = 0; i < LOOKS && (await shipped()) < wanted; i += 1) await wait(LOOK_MS);
  let last = footprint();
  for (let i = 0; i < LOOKS; i += 1) {
    await wait(LOOK_MS);
    const now = footprint();
    if (Math.abs(now.heapBytes - last.heapBytes) < AT_REST_BYTES) return now;
    last = now;
  }
  return last;
};

let published = WARM_UP_CALLS;
await drive(published);
const footprints = [await rest(published)];
for (let part = 0; part < PARTS; part += 1) {
  await drive(Math.ceil(calls / PARTS));
  published += Math.ceil(calls / PARTS);
  footprints.push(await rest(published));
}
const heap = footprints.map(({ heapBytes }) => heapBytes);
const growths = heap.slice(1).map((bytes, i) => bytes - (heap[i] as number));
const [first, last] = [footprints[0], footprints.at(-1)].map((one) => one?.handles ?? {});
const steadiness: Steadiness = {
  footprints,
  bytesPerCall: (growths.sort((a, b) => a - b)[Math.floor(PARTS / 2)] as number) / Math.ceil(calls / PARTS),
  moreHandles: Math.max(0, ...Object.entries(last ?? {}).map(([kind, count]) => count - (first?.[kind] ?? 0))),
  shipped: await shipped(),
  published,
  lines,
};
process.stdout.write(`${JSON.stringify(steadiness)}\n`);
await program.stop();
process.exit(); // with `leak` there are timers
