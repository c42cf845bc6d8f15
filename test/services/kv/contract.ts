import { type Test, test } from 'tap';
import type { HostData } from '../../../runtime/codec/host-data.ts';
import type { StoreBackend } from '../../../services/kv/backend.ts';

export interface BackendUnderTest {
  /** A fresh store that holds `maxSize` entries at most, not started. */
  make(maxSize: number): Promise<StoreBackend> | StoreBackend;
  /** Lets so many seconds pass for the backend. */
  pass(seconds: number): Promise<void> | void;
  /** A store of this kind is bounded. */
  readonly isBounded: boolean;
  /** `store.sql` has neither versions nor conditions. Default true. */
  readonly isVersioned?: boolean;
}

/** What every backend must do, whatever is behind it: one suite for all (architecture.md, "A surface is one folder"). */
export const storeContract = (name: string, under: BackendUnderTest): void => {
  const started = async (t: Test, maxSize = 100): Promise<StoreBackend> => {
    const store = await under.make(maxSize);
    await store.start();
    t.teardown(() => store.stop());
    return store;
  };

  test(`${name}: what was set is read, counted, overwritten and deleted`, async (t) => {
    const store = await started(t);
    const value = { list: [1, 2, 3], nested: { ok: true, text: 'ä' }, empty: {} };
    await store.set(':a', value, undefined);
    t.same((await store.get(':a'))?.value, value);
    t.equal(await store.has(':a'), true);
    t.equal(await store.has(':b'), false);
    t.equal(await store.get(':b'), undefined);
    await store.set(':a', 12345, undefined);
    t.equal((await store.get(':a'))?.value, 12345);
    t.equal(await store.delete(':a'), true);
    t.equal(await store.delete(':a'), false);
    t.equal(await store.get(':a'), undefined);
  });

  test(`${name}: every scalar keeps its type`, async (t) => {
    const store = await started(t);
    const scalars: HostData[] = ['', 'text', 0, -1.5, 2 ** 53 - 1, true, false];
    for (const value of scalars) {
      await store.set(':k', value, undefined);
      t.equal((await store.get(':k'))?.value, value);
    }
  });

  test(`${name}: an expired entry is absent at once, and a set without ttl removes the expiry`, async (t) => {
    const store = await started(t);
    await store.set(':short', 1, 2);
    await store.set(':kept', 1, 2);
    await store.set(':kept', 2, undefined);
    await store.set(':zero', 1, 0);
    t.equal(await store.has(':short'), true);
    await under.pass(3);
    t.equal(await store.has(':short'), false);
    t.equal(await store.get(':short'), undefined);
    t.equal(await store.delete(':short'), false);
    t.equal((await store.get(':kept'))?.value, 2);
    t.equal(await store.has(':zero'), true);
    t.same(
      (await store.list({ prefix: '', after: '', limit: 10 })).items.map(({ key }) => key),
      [':kept', ':zero'],
    );
  });

  test(`${name}: pages come in ascending key order, and the last says so`, async (t) => {
    const store = await started(t);
    for (const key of ['b:2', 'a:1', 'b:1', ':plain', 'b:3', 'c:']) await store.set(key, key, undefined);
    const first = await store.list({ prefix: 'b:', after: '', limit: 2 });
    t.same(
      first.items.map(({ key }) => key),
      ['b:1', 'b:2'],
    );
    t.equal(first.hasMore, true);
    const second = await store.list({ prefix: 'b:', after: 'b:2', limit: 2 });
    t.same(
      second.items.map(({ key, value }) => [key, value]),
      [['b:3', 'b:3']],
    );
    t.equal(second.hasMore, false);
    t.same((await store.list({ prefix: 'nothing', after: '', limit: 2 })).items, []);
    const all = await store.list({ prefix: '', after: '', limit: 100 });
    t.same(
      all.items.map(({ key }) => key),
      [':plain', 'a:1', 'b:1', 'b:2', 'b:3', 'c:'],
    );
  });

  if (under.isVersioned === false) {
    test(`${name}: a put without conditions writes, one with a condition is refused and writes nothing`, async (t) => {
      const store = await started(t);
      const value = { a: [1] };
      t.same(await store.put(':k', value, { onlyIfAbsent: false }), {
        result: 'ok',
        entry: { key: ':k', value, version: '0' },
      });
      t.same(await store.get(':k'), { key: ':k', value, version: '0' });
      const refused = { message: 'operation not supported by this store', kind: 'Invalid', retryable: false };
      await t.rejects(async () => store.put(':none', 1, { onlyIfAbsent: true }), refused);
      await t.rejects(async () => store.put(':k', 1, { ifVersion: '1' }), refused);
      t.equal(await store.has(':none'), false);
      t.same((await store.get(':k'))?.value, value);
      t.same([store.info.versioned, store.info.conditional_put], [false, false]);
    });
  } else {
    test(`${name}: a write changes the version, and conditions hold against it`, async (t) => {
      const store = await started(t);
      const first = await store.put(':k', 1, { onlyIfAbsent: true });
      if (first.result !== 'ok') return t.fail(`first put: ${first.result}`);
      t.match(first.entry.version, /^[1-9]\d*$/);
      t.equal((await store.put(':k', 2, { onlyIfAbsent: true })).result, 'exists');
      const second = await store.put(':k', 3, { ifVersion: first.entry.version });
      if (second.result !== 'ok') return t.fail(`second put: ${second.result}`);
      t.not(second.entry.version, first.entry.version);
      t.equal((await store.put(':k', 4, { ifVersion: first.entry.version })).result, 'conflict');
      t.equal((await store.put(':none', 4, { ifVersion: '1' })).result, 'not_found');
      const read = await store.get(':k');
      t.same([read?.value, read?.version], [3, second.entry.version]);
      await store.set(':k', 5, undefined);
      t.not((await store.get(':k'))?.version, second.entry.version);
    });
  }

  test(`${name}: a stopped store is Unavailable, and stop is idempotent`, async (t) => {
    const store = await under.make(10);
    const refused = { message: 'store is stopped', kind: 'Unavailable' };
    await t.rejects(async () => store.get(':k'), refused);
    await store.start();
    t.equal(await store.get(':k'), undefined);
    await store.stop();
    await store.stop();
    await t.rejects(async () => store.set(':k', 1, undefined), refused);
    await t.rejects(async () => store.list({ prefix: '', after: '', limit: 1 }), refused);
  });

  if (!under.isBounded) return;
  test(`${name}: a full store takes overwrites, refuses new keys, and has space again after an expiry`, async (t) => {
    const store = await started(t, 2);
    await store.set(':a', 1, undefined);
    await store.set(':b', 1, 5);
    await store.set(':a', 2, undefined);
    await t.rejects(async () => store.set(':c', 1, undefined), {
      message: 'store is full',
      kind: 'Unavailable',
      retryable: true,
    });
    await under.pass(6);
    await store.set(':c', 1, undefined);
    t.equal(await store.has(':c'), true);
  });
};
