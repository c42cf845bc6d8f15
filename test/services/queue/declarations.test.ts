import { test } from 'tap';
import { loadApp } from '../../../boot/app.ts';
import { renderProblem } from '../../../runtime/errors.ts';

test('rule 96: what no queue can do is refused where it is declared', (t) => {
  const dir = t.testdir({
    '_index.yaml': `namespace: shop
entries:
  - { name: jobs, kind: queue.queue, driver: nowhere }
  - { name: driver, kind: queue.driver.memory }
  - { name: loop, kind: queue.queue, driver: driver, dead_letter: { queue: loop } }
  - { name: remote, kind: queue.driver.redis, url: "redis://127.0.0.1" }
  - { name: packed, kind: queue.queue, driver: remote, codec: application/msgpack }
  - { name: fits, kind: queue.queue, driver: driver, codec: application/msgpack, dead_letter: { queue: loop } }
`,
  });
  const { problems } = loadApp({ dir, configFiles: [], sets: [], overrides: [], variables: {} });
  t.same(problems.map(renderProblem), [
    '_index.yaml:3:46: entries[0].driver: queue driver not found: shop:jobs refers to shop:nowhere, which does not exist.',
    '_index.yaml:5:76: entries[2].dead_letter.queue: dead_letter.queue must be another queue',
    '_index.yaml:7:63: entries[4].codec: codec application/msgpack needs queue.driver.memory. Use json/plain.',
  ]);
  t.end();
});
