import { test } from 'tap';
import { rootContext } from '../../../runtime/context.ts';
import type { LuaInstance, LuaProgram } from '../../../runtime/lua/engine.ts';
import { instancePool } from '../../../services/function/pool.ts';
import { poolShape } from '../../../services/function/pool-shape.ts';
import { fakeClock } from '../fake-clock.ts';

const fakeProgram = (fails: () => boolean = () => false) => {
  let made = 0;
  const program: LuaProgram = {
    id: 'app:f',
    path: 'f.lua',
    instantiate() {
      if (fails()) throw new Error('top level failed');
      made += 1;
      return { program, reusable: true, definedAt: undefined, call: () => ({ value: made, count: 1 }) };
    },
  };
  return { program, made: () => made };
};
const setup = (limit: number, keep = 0, warm = 0, fails?: () => boolean) => {
  const { program, made } = fakeProgram(fails);
  const clock = fakeClock();
  let waiting = 0;
  const pool = instancePool(program, { limit, keep, warm }, clock, (change) => {
    waiting += change;
  });
  return { pool, clock, made, waiting: () => waiting };
};
const taken = (instance: LuaInstance | Promise<LuaInstance>): LuaInstance => {
  if (instance instanceof Promise) throw new Error('it waits');
  return instance;
};

test('an instance is used again, the most recent first, and one in doubt is dropped', (t) => {
  const { pool, made } = setup(Number.POSITIVE_INFINITY);
  const [a, b] = [taken(pool.acquire(rootContext)), taken(pool.acquire(rootContext))];
  t.equal(made(), 2);
  pool.release(a);
  pool.release(b);
  t.equal(pool.acquire(rootContext), b);
  pool.release({ ...b, reusable: false });
  t.equal(pool.acquire(rootContext), a);
  pool.acquire(rootContext);
  t.equal(made(), 3);
  t.end();
});

test('beyond the limit calls wait in order of arrival, and are counted while they do', async (t) => {
  const { pool, made, waiting } = setup(1);
  const first = taken(pool.acquire(rootContext));
  const order: string[] = [];
  const second = (async () => {
    const instance = await pool.acquire(rootContext);
    order.push('second');
    return instance;
  })();
  const third = (async () => {
    const instance = await pool.acquire(rootContext);
    order.push('third');
    return instance;
  })();
  t.equal(waiting(), 2);
  pool.release(first);
  t.equal(await second, first);
  t.equal(waiting(), 1);
  pool.release(await second);
  t.equal(await third, first);
  t.same(order, ['second', 'third']);
  t.equal(waiting(), 0);
  t.equal(made(), 1);
});

test('a waiting call that is cancelled leaves the line with the reason', async (t) => {
  const { pool, waiting } = setup(1);
  const first = taken(pool.acquire(rootContext));
  const controller = new AbortController();
  const cancelled = pool.acquire(rootContext.withSignal(controller.signal)) as Promise<LuaInstance>;
  const next = pool.acquire(rootContext) as Promise<LuaInstance>;
  controller.abort(new Error('gone'));
  await t.rejects(cancelled, { message: 'gone' });
  t.equal(waiting(), 1);
  pool.release(first);
  t.equal(await next, first);
  t.throws(() => pool.acquire(rootContext.withSignal(controller.signal)), { message: 'gone' });
});

test('a slot whose instance could not be made goes to the next call', async (t) => {
  let fails = false;
  const { pool } = setup(1, 0, 0, () => fails);
  const first = taken(pool.acquire(rootContext));
  const second = pool.acquire(rootContext) as Promise<LuaInstance>;
  const third = pool.acquire(rootContext) as Promise<LuaInstance>;
  fails = true;
  pool.release({ ...first, reusable: false });
  await t.rejects(second, { message: 'top level failed' });
  await t.rejects(third, { message: 'top level failed' });
  fails = false;
  t.ok(taken(pool.acquire(rootContext)), 'the slot is not lost');
});

test('idle instances go after 30 s, those in `keep` stay, and no timer is left', (t) => {
  const { pool, clock, made } = setup(10, 1);
  const three = [1, 2, 3].map(() => taken(pool.acquire(rootContext)));
  for (const one of three) pool.release(one);
  clock.pass(29_000);
  pool.release(taken(pool.acquire(rootContext)));
  clock.pass(1_500);
  t.equal(clock.timers, 0, 'one is left, and it may stay');
  clock.pass(600_000);
  pool.acquire(rootContext);
  t.equal(made(), 3, 'the one that was used last');
  pool.acquire(rootContext);
  t.equal(made(), 4);
  pool.close();
  t.end();
});

test('those in `keep` stay also when all were idle for as long', (t) => {
  const { pool, clock, made } = setup(10, 2);
  const three = [1, 2, 3].map(() => taken(pool.acquire(rootContext)));
  for (const one of three) pool.release(one);
  clock.pass(600_000);
  t.equal(clock.timers, 0);
  for (let i = 0; i < 2; i += 1) pool.acquire(rootContext);
  t.equal(made(), 3);
  pool.acquire(rootContext);
  t.equal(made(), 4, 'the third was removed');
  t.end();
});

test('warm makes instances ahead; close drops them', (t) => {
  const { pool, clock, made } = setup(4, 0, 2);
  pool.warm(rootContext);
  t.equal(made(), 2);
  pool.acquire(rootContext);
  t.equal(made(), 2);
  pool.close();
  t.equal(clock.timers, 0);
  t.end();
});

test('declarations.md, section 3.1: the shape of each pool type', (t) => {
  const none = { size: 0, workers: 0, buffer: 0, max_size: 0, warm_start: false };
  const unbounded = Number.POSITIVE_INFINITY;
  t.same(poolShape(undefined), { limit: unbounded, keep: 0, warm: 0 });
  t.same(poolShape(none), { limit: 100, keep: 0, warm: 0 }, 'auto: flexible is lazy');
  t.same(poolShape({ ...none, workers: 3, size: 5 }), { limit: 3, keep: 3, warm: 0 }, 'auto: workers are static');
  t.same(
    poolShape({ ...none, size: 5, warm_start: true }),
    { limit: unbounded, keep: 5, warm: 5 },
    'auto: size is inline',
  );
  t.same(poolShape({ ...none, type: 'lazy' }), { limit: 16, keep: 0, warm: 0 });
  t.same(poolShape({ ...none, type: 'lazy', max_size: 2, warm_start: true, size: 5 }), { limit: 2, keep: 0, warm: 2 });
  t.same(poolShape({ ...none, type: 'static' }), { limit: 8, keep: 8, warm: 0 });
  t.same(poolShape({ ...none, type: 'static', size: 3 }), { limit: 3, keep: 3, warm: 0 });
  t.same(poolShape({ ...none, type: 'adaptive', size: 2, warm_start: true }), { limit: 16, keep: 2, warm: 2 });
  t.end();
});
