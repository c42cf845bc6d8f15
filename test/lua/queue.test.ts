import { cpSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { luaTests } from '../harness/lua-tests.ts';
import { startRedis } from '../harness/redis.ts';

const source = fileURLToPath(new URL('queue', import.meta.url));

test('lua/queue.md, line by line, on queue.driver.memory', (t) => luaTests(t, 'test/lua/queue'));

test('lua/queue.md, line by line, on queue.driver.redis', async (t) => {
  const { url, prefix } = await startRedis(t);
  const dir = t.testdir();
  cpSync(source, dir, { recursive: true });
  const driver = { name: 'driver', kind: 'queue.driver.redis', url, prefix, lifecycle: { auto_start: true } };
  writeFileSync(`${dir}/backend.yaml`, JSON.stringify({ namespace: 'queue.tests', entries: [driver] }));
  await luaTests(t, dir);
});
