import { test } from 'tap';
import { Progress } from '../../../services/cdc/progress.ts';

const progress = (start = 0n) => {
  const seen: { advanced: number } = { advanced: 0 };
  return { seen, of: new Progress(start, () => (seen.advanced += 1)) };
};

test('the position is the end of the last transaction before the first that is not done', async (t) => {
  const { of, seen } = progress(5n);
  t.same(of.confirmed, { position: 5n, worthKeeping: 0n });
  of.begin(1000);
  const first = of.delivery();
  of.commit(10n);
  of.begin(2000);
  const second = of.delivery();
  const third = of.delivery();
  of.commit(20n);
  t.equal(of.oldestOpen, 1000);
  second();
  third();
  t.equal(of.confirmed.position, 5n, 'a later one does not help an earlier one');
  t.equal(seen.advanced, 0);
  first();
  first();
  t.same(of.confirmed, { position: 20n, worthKeeping: 20n });
  t.equal(of.oldestOpen, undefined);
  t.equal(seen.advanced, 1);
});

test('a transaction that has not come to its end is not confirmed, however much of it is done', async (t) => {
  const { of } = progress();
  of.begin(1);
  of.delivery()();
  t.equal(of.confirmed.position, 0n);
  of.commit(10n);
  t.equal(of.confirmed.position, 10n);
});

test('an idle log moves the position only while nothing is open, and is not worth keeping', async (t) => {
  const { of } = progress();
  of.idle(7n);
  t.same(of.confirmed, { position: 7n, worthKeeping: 0n });
  of.begin(1);
  const done = of.delivery();
  of.commit(10n);
  of.idle(50n);
  t.equal(of.confirmed.position, 7n);
  done();
  t.same(of.confirmed, { position: 10n, worthKeeping: 10n });
  of.idle(50n);
  t.same(of.confirmed, { position: 50n, worthKeeping: 10n });
  of.begin(1);
  of.commit(60n);
  t.same(of.confirmed, { position: 60n, worthKeeping: 10n }, 'a transaction without changes of ours');
  of.begin(1);
  of.seen();
  of.commit(70n);
  t.equal(of.confirmed.worthKeeping, 70n, 'one that nobody had to handle');
  of.idle(1n);
  t.equal(of.confirmed.position, 70n, 'never back');
});

test('where to go on is the end of what was handed on, handled or not', async (t) => {
  const { of } = progress(3n);
  of.begin(1);
  of.delivery();
  t.equal(of.dispatched, 3n);
  of.commit(10n);
  t.equal(of.dispatched, 10n);
  t.equal(of.confirmed.position, 3n);
});
