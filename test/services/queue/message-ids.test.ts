import { test } from 'tap';
import { messageIds } from '../../../services/queue/message-ids.ts';

test('ids are UUIDs of version 4, no two are the same, and every digit takes every value', async (t) => {
  const next = messageIds();
  const ids = Array.from({ length: 2000 }, next);
  const wrong = ids.filter((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id));
  t.same(wrong, []);
  t.equal(new Set(ids).size, ids.length);
  const values = (at: number) => new Set(ids.map((id) => id[at])).size;
  const expected = (at: number): number => ([8, 13, 14, 18, 23].includes(at) ? 1 : at === 19 ? 4 : 16);
  t.same(
    Array.from({ length: 36 }, (_, at) => values(at)),
    Array.from({ length: 36 }, (_, at) => expected(at)),
  );
  t.not(messageIds()(), messageIds()(), 'two sources are not one');
});
