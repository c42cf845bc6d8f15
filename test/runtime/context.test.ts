import { test } from 'tap';
import { contextKey, LateSignal, rootContext } from '../../runtime/context.ts';

const USER = contextKey('user', 'nobody');
const DEPTH = contextKey('depth', 0);
const EXCHANGE = contextKey<string | undefined>('exchange', undefined, { isPrivate: true });

test('with makes a child; the parent stays as it was', async (t) => {
  const parent = rootContext.with(USER, 'ann');
  const child = parent.with(USER, 'bob').with(DEPTH, 2);
  t.same([rootContext.get(USER), parent.get(USER), child.get(USER)], ['nobody', 'ann', 'bob']);
  t.same([parent.get(DEPTH), child.get(DEPTH)], [0, 2]);
  t.equal(child.with(DEPTH, 3).get(USER), 'bob', 'everything else is shared');
});

test('keys are told apart by identity, not by name; undefined is a value', async (t) => {
  const other = contextKey('user', 'other');
  t.equal(rootContext.with(USER, 'ann').get(other), 'other');
  const maybe = contextKey<string | undefined>('maybe', 'initial');
  t.equal(rootContext.with(maybe, undefined).get(maybe), undefined);
});

test('inherited leaves out what is private, and keeps the rest with its newest value', async (t) => {
  const context = rootContext.with(USER, 'ann').with(EXCHANGE, 'mine').with(USER, 'bob').with(DEPTH, 1);
  const callee = context.inherited();
  t.same([callee.get(USER), callee.get(DEPTH), callee.get(EXCHANGE)], ['bob', 1, undefined]);
  t.equal(context.get(EXCHANGE), 'mine', 'the call itself still sees it');
  t.equal(callee.with(EXCHANGE, 'again').get(EXCHANGE), 'again');
  t.equal(callee.inherited(), callee, 'with nothing private there is nothing to copy');
});

test('withSignal replaces the signal for the child and what comes after it', async (t) => {
  const abort = new AbortController();
  const parent = rootContext.with(USER, 'ann').with(EXCHANGE, 'mine');
  const child = parent.withSignal(abort.signal).with(DEPTH, 1);
  t.equal(child.get(USER), 'ann');
  t.equal(child.inherited().signal, abort.signal, 'it is inherited');
  abort.abort(new Error('enough'));
  t.match(child.signal.reason, { message: 'enough' });
  t.notOk(parent.signal.aborted);
  t.notOk(rootContext.signal.aborted);
});

test('a late signal tells the same, whether it is asked for before or after it aborts', async (t) => {
  for (const isAskedBefore of [true, false]) {
    const late = new LateSignal();
    const context = rootContext.withSignal(late).with(DEPTH, 1);
    let heard = 0;
    if (isAskedBefore) context.signal.addEventListener('abort', () => (heard += 1));
    t.notOk(context.cancellation.aborted);
    late.abort(new Error('enough'));
    late.abort(new Error('too late'));
    t.equal(heard, isAskedBefore ? 1 : 0);
    for (const told of [context.cancellation, context.signal, context.inherited().signal]) {
      t.ok(told.aborted);
      t.match(told.reason, { message: 'enough' });
    }
    t.equal(context.signal, context.signal, 'there is one');
  }
});
