import { test } from 'tap';
import { memoryStorage, readOnlyStorage, routerStorage } from '../../../services/env/storage.ts';

test('a router lists what a read would find: the first member that has a key', async (t) => {
  const first = memoryStorage();
  const router = routerStorage([first, readOnlyStorage({ A: 'second', B: 'b', GONE: undefined })]);
  t.strictSame(router.all(), { A: 'second', B: 'b' });
  router.set('A', 'first');
  t.strictSame(router.all(), { A: 'first', B: 'b' });
  t.equal(router.get('A'), 'first');
});
