import { test } from 'tap';
import { memoryBackend } from '../../../services/kv/memory.ts';
import { fakeClock } from '../fake-clock.ts';
import { storeContract } from './contract.ts';

const shared = fakeClock();
storeContract('memory', {
  // Without a sweeper: an expired entry must be absent all the same.
  make: (maxSize) => memoryBackend(shared, { maxSize, cleanupIntervalMs: 0 }),
  pass: (seconds) => shared.pass(seconds * 1000),
  isBounded: true,
});

test('the sweeper runs while the store does, and leaves no timer behind', async (t) => {
  const clock = fakeClock();
  const store = memoryBackend(clock, { maxSize: 10, cleanupIntervalMs: 1000 });
  t.equal(clock.timers, 0);
  await store.start();
  t.equal(clock.timers, 1);
  await store.stop();
  t.equal(clock.timers, 0);
  const unswept = memoryBackend(clock, { maxSize: 10, cleanupIntervalMs: 0 });
  await unswept.start();
  t.equal(clock.timers, 0);
});

test('a stop loses the data', async (t) => {
  const store = memoryBackend(fakeClock(), { maxSize: 10, cleanupIntervalMs: 0 });
  await store.start();
  store.set(':a', 1, undefined);
  t.equal(store.has(':a'), true);
  await store.stop();
  await store.start();
  t.equal(store.has(':a'), false);
});
