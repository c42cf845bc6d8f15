import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import root, { test } from 'tap';
import { runChild } from '../../harness/child.ts';
import type { Crowd } from './crowd-program.ts';

const PROGRAM = fileURLToPath(new URL('crowd-program.ts', import.meta.url));
const PROCESSES = 10_000;
const MESSAGES = 1_000_000;
/** What an idle machine has to keep; time gets 16 times that here (rule 138), bytes don't depend on the machine. */
const SPAWN_MS = 3000;
const BYTES = 12 * 1024;
const MARGIN = 16;
root.setTimeout(900_000);

test(`${PROCESSES} processes start in time and stay small; ${MESSAGES} messages keep their order and none is lost`, {
  timeout: 800_000,
}, async (t) => {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const flags = ['--expose-gc', '--no-flush-bytecode', '--disable-warning=ExperimentalWarning'];
  const { code, stdout, stderr } = await runChild(t, process.execPath, [
    ...flags,
    PROGRAM,
    String(PROCESSES),
    String(MESSAGES),
    url,
  ]);
  t.equal(code, 0, stderr.join('\n'));
  const { spawnMs, spawnCpuMs, bytes, messageUs }: Crowd = JSON.parse(stdout.at(-1) ?? '{}');
  t.comment(
    `${Math.round(spawnMs)} ms (${Math.round(spawnCpuMs)} of processor) for ${PROCESSES} spawns, ${Math.round(bytes)} bytes each, ${messageUs.toFixed(2)} us a message`,
  );
  t.ok(spawnMs < MARGIN * SPAWN_MS, `${spawnMs} ms`);
  t.ok(bytes > 1024 && bytes <= BYTES, `${bytes} bytes`);
});
