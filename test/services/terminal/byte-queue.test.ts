import { test } from 'tap';
import { ByteQueue } from '../../../services/terminal/byte-queue.ts';

const queueOf = (...chunks: readonly string[]): ByteQueue => {
  const queue = new ByteQueue();
  for (const chunk of chunks) queue.push(Buffer.from(chunk));
  return queue;
};

test('bytes come out as they went in, however they were cut', async (t) => {
  const queue = queueOf('ab', '', 'cdef', 'g');
  t.equal(queue.size, 7);
  t.same(
    [3, 1, 10, 1].map((count) => String(queue.take(count))),
    ['abc', 'd', 'efg', ''],
  );
  t.equal(queue.size, 0);
});

test('lines: ends of both kinds, also cut in two; undefined until there is one', async (t) => {
  const queue = queueOf('a', 'b', 'c\r', '\nd\n\r\ne');
  t.same(
    [0, 1, 2].map(() => String(queue.takeLine())),
    ['abc', 'd', ''],
  );
  t.equal(queue.takeLine(), undefined);
  queue.push(Buffer.from('f'));
  t.equal(queue.takeLine(), undefined);
  queue.push(Buffer.from('\n'));
  t.equal(String(queue.takeLine()), 'ef');
  t.equal(queue.size, 0);
});

test('what was searched is not searched again, and taking from the front keeps count of it', async (t) => {
  const queue = queueOf('ab', 'cd');
  t.equal(queue.takeLine(), undefined);
  t.equal(String(queue.take(3)), 'abc');
  queue.push(Buffer.from('e\nf'));
  t.equal(String(queue.takeLine()), 'de');
  t.equal(String(queue.take(9)), 'f');
});
