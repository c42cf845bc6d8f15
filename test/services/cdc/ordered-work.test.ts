import { test } from 'tap';
import { OrderedWork } from '../../../services/cdc/ordered-work.ts';
import { poll } from '../../harness/poll.ts';

/** Work whose items end when they are told to. */
const controlled = (concurrency: number) => {
  const running = new Map<string, { end: () => void; fail: (error: Error) => void }>();
  const begun: string[] = [];
  const failures: unknown[] = [];
  const work = new OrderedWork<string>({
    concurrency,
    run: (item) => {
      begun.push(item);
      return new Promise((end, fail) => running.set(item, { end, fail }));
    },
    onFailure: (error) => failures.push(error),
  });
  const end = async (item: string): Promise<void> => {
    running.get(item)?.end();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { work, begun, failures, running, end };
};

test('nothing begins before it is opened; one at a time keeps every order', async (t) => {
  const { work, begun, end } = controlled(1);
  for (const item of ['a', 'b', 'c']) work.push(item, 'table', [item]);
  t.same(begun, []);
  work.open();
  t.same(begun, ['a']);
  await end('a');
  t.same(begun, ['a', 'b']);
  await end('b');
  t.same(begun, ['a', 'b', 'c']);
});

test('keys: the same one waits, others do not; tables are apart', async (t) => {
  const { work, begun, end } = controlled(10);
  work.open();
  work.push('k1 first', 't', ['1']);
  work.push('k1 second', 't', ['1']);
  work.push('k2', 't', ['2']);
  work.push('k1 elsewhere', 'u', ['1']);
  t.same(begun, ['k1 first', 'k2', 'k1 elsewhere']);
  await end('k1 first');
  t.same(begun.at(-1), 'k1 second');
});

test('a change of the key waits for the old one and holds the new one', async (t) => {
  const { work, begun, end } = controlled(10);
  work.open();
  work.push('1', 't', ['1']);
  work.push('1 to 2', 't', ['1', '2']);
  work.push('2', 't', ['2']);
  t.same(begun, ['1']);
  await end('1');
  t.same(begun, ['1', '1 to 2']);
  await end('1 to 2');
  t.same(begun, ['1', '1 to 2', '2']);
});

test('without keys: after all of its table before it, before all after it', async (t) => {
  const { work, begun, end } = controlled(10);
  work.open();
  work.push('a', 't', ['a']);
  work.push('b', 't', ['b']);
  work.push('all', 't', undefined);
  work.push('c', 't', ['c']);
  work.push('other', 'u', ['c']);
  t.same(begun, ['a', 'b', 'other']);
  await end('b');
  t.same(begun, ['a', 'b', 'other']);
  await end('a');
  t.same(begun.at(-1), 'all');
  await end('all');
  t.same(begun.at(-1), 'c');
});

test('no more at once than it may', async (t) => {
  const { work, begun, end } = controlled(2);
  work.open();
  for (const item of ['a', 'b', 'c']) work.push(item, 't', [item]);
  t.same(begun, ['a', 'b']);
  await end('b');
  t.same(begun, ['a', 'b', 'c']);
});

test('a failure stops it for good', async (t) => {
  const { work, begun, failures, running } = controlled(1);
  work.open();
  for (const item of ['a', 'b']) work.push(item, 't', [item]);
  running.get('a')?.fail(new Error('broken'));
  await poll('it is told', () => failures.length === 1);
  t.same(begun, ['a']);
  work.push('c', 't', ['c']);
  t.same(begun, ['a']);
  await work.close();
});

test('close waits for what runs and begins nothing', async (t) => {
  const { work, begun, end } = controlled(1);
  work.open();
  for (const item of ['a', 'b']) work.push(item, 't', [item]);
  let isClosed = false;
  const closing = work.close().then(() => {
    isClosed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.notOk(isClosed);
  await end('a');
  await closing;
  t.same(begun, ['a']);
});

test('work that never waits: thousands at once neither deepen the stack nor keep timers from their turn', async (t) => {
  let count = 0;
  let turns = 0;
  const work = new OrderedWork<number>({
    concurrency: 1,
    run: () => {
      count += 1;
    },
    onFailure: () => {},
  });
  for (let i = 0; i < 50_000; i += 1) work.push(i, 't', undefined);
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  work.open();
  await poll('all of it', () => count === 50_000);
  clearInterval(timer);
  t.ok(turns > 0, `${turns} turns of a timer`);
});
