import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { runChild } from '../harness/child.ts';
import { freePort } from '../harness/free-port.ts';
import { poll } from '../harness/poll.ts';
import { startProgram } from '../harness/program.ts';
import { total } from '../harness/prometheus-text.ts';

const PORTS = ['ORDERS_PORT', 'PRICES_PORT'];
const bin = fileURLToPath(new URL('../../bin/perilune.js', import.meta.url));

test('rule 135: the example takes an order to its fulfilment', async (t) => {
  const app = await startProgram(t, 'examples/orders', { ports: PORTS });
  const post = (body: string): Promise<Response> => fetch(app.url('ORDERS_PORT', '/orders'), { method: 'POST', body });

  const created = await post('{"sku": "lamp", "quantity": 10}');
  const body = await created.text();
  t.equal(created.status, 202, 'the order is taken', { body, output: app.output() });
  t.equal(created.headers.get('content-type'), 'application/json');
  const order = JSON.parse(body) as { id: string; total: number; status: string };
  t.match(order, { total: 23275, status: 'placed' }, 'priced by the other service, 5 % off');
  const read = async (): Promise<{ status: string }> =>
    (await (await fetch(app.url('ORDERS_PORT', `/orders/${order.id}`))).json()) as { status: string };
  await poll('the order is fulfilled', async () => (await read()).status === 'fulfilled');

  t.equal((await post('{"sku": "unicorn", "quantity": 1}')).status, 422);
  t.equal((await post('{"sku": "lamp", "quantity": 0}')).status, 400);
  t.equal((await post('lamps, please')).status, 400);
  t.equal((await fetch(app.url('ORDERS_PORT', '/orders/none'))).status, 404);

  const metrics = await app.scrape();
  t.equal(total(metrics, 'orders_fulfilled_total', { sku: 'lamp' }), 1);
  t.equal(total(metrics, 'wippy_http_requests_total', { route: 'prices:quote.endpoint' }), 2);
  const { code } = await app.stop();
  t.equal(code, 0);
});

test('the example greets, fails and waits as its README says', async (t) => {
  const app = await startProgram(t, 'examples/orders', { ports: PORTS });
  const get = (path: string): Promise<Response> => fetch(app.url('ORDERS_PORT', path));
  t.same(await (await get('/hello?name=you')).json(), { message: 'hello, you' });
  const failed = await get('/fail');
  t.equal(failed.status, 500);
  t.match(await failed.text(), /on fire/);
  const started = performance.now();
  const slow = await Promise.all(Array.from({ length: 20 }, () => get('/slow')));
  t.same([...new Set(slow.map((response) => response.status))], [200]);
  const waited = performance.now() - started;
  t.ok(waited >= 1000 && waited < 16_000, `20 slow requests waited together: ${Math.round(waited)} ms`);
  // Printed lines: what listens, and the failure once.
  t.equal(
    app
      .output()
      .split('\n')
      .filter((line) => line.includes('fail.endpoint') && line.includes('500')).length,
    1,
  );
});

test("perilune test runs the example's own tests", async (t) => {
  const env = { ORDERS_PORT: String(await freePort()), PRICES_PORT: String(await freePort()) };
  const listen = ['--set', 'telemetry.enabled=false'];
  const run = await runChild(t, process.execPath, [bin, 'test', 'examples/orders', '--reporter', 'json', ...listen], {
    env,
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });
  t.equal(run.code, 0, run.stderr.join('\n'));
  const results = run.stdout.map((line) => JSON.parse(line) as { id: string; ok: boolean });
  t.equal(results.length, 4);
  t.ok(results.every((result) => result.ok));
});
