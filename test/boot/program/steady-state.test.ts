import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import root, { type Test, test } from 'tap';
import { runChild } from '../../harness/child.ts';
import type { Steadiness } from './steady-program.ts';

const PROGRAM = fileURLToPath(new URL('steady-program.ts', import.meta.url));
/** `make steady` does a million. */
const CALLS = Number(process.env.STEADY_CALLS ?? 12_000);
/** Of a third of the calls: V8 keeps 100 to 300 KB of its own (compiled code), however many there are, and a call nothing. */
const BYTES_PER_CALL = 8 + (3 * 300_000) / CALLS;
const SPARE_HANDLES = 4;
const OPTIONS = { timeout: 600_000 + CALLS * 10 };
root.setTimeout(2 * OPTIONS.timeout);

/** Takes everything and keeps nothing. */
const sink = async (t: Test): Promise<{ url: string; received: () => number }> => {
  let received = 0;
  const server = createServer((request, response) => {
    request.on('data', (bytes: Buffer) => {
      received += bytes.length;
    });
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received: () => received };
};

const run = async (t: Test, calls: number, ...leak: string[]): Promise<Steadiness & { received: number }> => {
  const { url, received } = await sink(t);
  const args = [
    '--expose-gc',
    '--no-flush-bytecode',
    '--disable-warning=ExperimentalWarning',
    PROGRAM,
    String(calls),
    url,
    ...leak,
  ];
  const { code, stdout, stderr } = await runChild(t, process.execPath, args);
  t.equal(code, 0, stderr.join('\n'));
  const steadiness: Steadiness = JSON.parse(stdout.at(-1) ?? '');
  t.comment(
    `${steadiness.bytesPerCall.toFixed(1)} bytes a call; heap ${steadiness.footprints.map(({ heapBytes }) => heapBytes)}`,
  );
  return { ...steadiness, received: received() };
};

test(`${CALLS} calls later heap and handles are where they were`, OPTIONS, async (t) => {
  const { bytesPerCall, moreHandles, shipped, published, lines, received } = await run(t, CALLS);
  t.ok(bytesPerCall < BYTES_PER_CALL, `${bytesPerCall} bytes`);
  t.ok(moreHandles <= SPARE_HANDLES, `${moreHandles} handles`);
  t.equal(shipped, published, 'and every message was consumed');
  t.ok(lines >= published, 'every call has logged');
  t.ok(received > published, 'spans were sent');
});

test('and where calls leave something behind, it is seen', OPTIONS, async (t) => {
  const { bytesPerCall, moreHandles } = await run(t, Math.min(CALLS, 12_000), 'leak');
  t.ok(bytesPerCall >= BYTES_PER_CALL, `${bytesPerCall} bytes`);
  t.ok(moreHandles > SPARE_HANDLES, `${moreHandles} handles`);
});
