import { createServer } from 'node:http';
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
