import { createServer, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import { programIn } from '../../harness/in-process.ts';
import { poll } from '../../harness/poll.ts';
import { total } from '../../harness/prometheus-text.ts';

const app = (port: number): string => `version: "1.0"
namespace: app
entries:
  - name: web
    kind: http.service
    addr: "127.0.0.1:${port}"
    lifecycle:
      auto_start: true
      startup: optional
      stable_threshold: 50ms
      restart: { initial_delay: 10ms, max_delay: 50ms }
`;

test('an optional service whose port is in use listens once it is free', async (t) => {
  const taken = createServer();
  t.teardown(() => taken.close());
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const program = await programIn(t, t.testdir({ '_index.yaml': app(port) }));
  const row = async (name: string, labels = {}): Promise<number> =>
    total(await program.scrape(), `wippy_component_${name}`, { component: 'app:web', ...labels }) ?? 0;
  t.throws(() => program.url('app:web'), 'the program is ready, the service is not');
  await poll('it has been tried again', async () => (await row('restarts_total')) >= 3);
  t.ok((await row('degraded_seconds_total')) > 0);
  taken.close();
  await poll('it listens', () => program.lines().some(({ msg }) => msg === 'app:web runs again'));
  t.equal((await fetch(`${program.url('app:web')}/`)).status, 404, 'it answers');
  const [restarts, errors, degraded] = [
    await row('restarts_total'),
    await row('errors_total', { kind: 'init' }),
    await row('degraded_seconds_total'),
  ];
  t.equal(errors, restarts, 'the first start failed, the last restart did not');
  t.equal(await row('degraded_seconds_total'), degraded, 'it is well');
  const lines = program.lines().filter(({ component }) => component === 'app:web');
  t.match(
    lines.map(({ level, msg }) => `${level} ${msg}`),
    [/^error app:web could not open: .* is in use/, /^info app:web runs again$/],
    'one line where the episode begins, one where it ends',
  );
  t.equal(lines.length, 2);
});

/** The program's own listener: it runs in this process. */
const listenerAt = (port: number): Server => {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles();
  const found = handles.find((one) => one instanceof Server && (one.address() as AddressInfo | null)?.port === port);
  if (!(found instanceof Server)) throw new Error(`nothing listens on ${port}`);
  return found;
};

test('rule 103: a service that has lost its listener is started again', async (t) => {
  const program = await programIn(t, t.testdir({ '_index.yaml': app(0) }));
  const before = program.url('app:web');
  t.equal((await fetch(`${before}/`)).status, 404);
  listenerAt(Number(new URL(before).port)).close();
  await poll('it listens again', () => program.lines().filter(({ msg }) => msg === 'listening').length === 2);
  t.equal((await fetch(`${program.url('app:web')}/`)).status, 404, 'it answers');
  const rows = await program.scrape();
  const row = (name: string) => total(rows, `wippy_component_${name}`, { component: 'app:web' });
  t.equal(row('restarts_total'), 1);
  t.equal(row('errors_total'), 1);
  const [failed] = program.lines().filter(({ component, level }) => component === 'app:web' && level === 'warn');
  t.match(failed?.msg, /^app:web has failed and is started again: it no longer listens on 127\.0\.0\.1:0: /);
});
