import { test } from 'tap';
import { hostDataOf, luaValueOf } from '../../../runtime/codec/host-data.ts';
import { CallError } from '../../../runtime/errors.ts';
import { hostObject, LuaOpaque, LuaTable, type LuaValue, luaReference } from '../../../runtime/lua/values.ts';

const table = (entries: Iterable<readonly [string | number | boolean | Uint8Array | object, LuaValue]>) =>
  new LuaTable(new Map(entries));

test('scalars, by the rows of common.md, section 7', async (t) => {
  t.equal(hostDataOf(undefined), null);
  t.equal(hostDataOf(true), true);
  t.equal(hostDataOf('x'), 'x');
  t.equal(hostDataOf(1.5), 1.5);
  t.equal(hostDataOf(2 ** 40), 2 ** 40);
  const bytes = Buffer.from([0xff]);
  t.equal(hostDataOf(bytes), bytes, 'bytes are kept');
  t.equal(hostDataOf(new LuaOpaque('function', 'function: 0x1')), 'function: 0x1');
  t.equal(hostDataOf(new CallError('gone', { kind: 'NotFound' })), 'gone');
  t.equal(hostDataOf({ [hostObject]: true }), 'userdata');
  t.same(hostDataOf({ [luaReference]: true, copy: () => table([[1, 'a']]) }), ['a']);
});

test('any positive integer key makes an array of 1..max; other tables are maps', async (t) => {
  t.same(
    hostDataOf(
      table([
        [1, 'a'],
        [3, 'c'],
        ['lost', 1],
      ]),
    ),
    ['a', null, 'c'],
  );
  t.same(hostDataOf(table([])), {});
  t.same(
    hostDataOf(
      table([
        ['a', table([['b', 1]])],
        [0, 'zero'],
        [-1.5, 'm'],
        [true, 't'],
        [Buffer.from([0xff]), 'x'],
      ]),
    ),
    {
      a: { b: 1 },
      '0': 'zero',
      '-1.5': 'm',
      true: 't',
      '\ufffd': 'x',
    },
  );
  t.same(
    hostDataOf(
      table([
        [new LuaOpaque('thread', 'thread: 0x2'), 1],
        [table([]), 2],
      ]),
    ),
    { 'thread: 0x2': 1, table: 2 },
  );
  const odd = hostDataOf(table([['__proto__', 'x']]));
  t.same(Object.entries(odd as object), [['__proto__', 'x']], 'a key like any other');
});

test('cycles, depth and holes are errors that say where', async (t) => {
  const root = table([]);
  root.map.set('a', table([[2, root]]));
  t.throws(() => hostDataOf(root), { kind: 'Internal', retryable: false, message: 'recursive table at a[2]' });
  let deep = table([]);
  for (let i = 1; i < 128; i += 1) deep = table([[1, deep]]);
  t.ok(hostDataOf(deep));
  t.throws(() => hostDataOf(table([[1, deep]])), { kind: 'Internal', message: /^nesting deeper than 128/ });
  t.throws(() => hostDataOf(table([[1e9, 1]])), { kind: 'Internal', message: /more than 1000000 holes/ });
  const shared = table([[1, 1]]);
  t.same(
    hostDataOf(
      table([
        ['a', shared],
        ['b', shared],
      ]),
    ),
    { a: [1], b: [1] },
    'the same table twice is no cycle',
  );
});

test('back: arrays count from 1 and null is nil', async (t) => {
  t.equal(luaValueOf(null), undefined);
  t.equal(luaValueOf('x'), 'x');
  const error = new CallError('x');
  t.equal(luaValueOf(error), error);
  const value = luaValueOf({ a: [1, null, { b: true }], c: null, d: {} }) as LuaTable;
  t.same([...value.map.keys()], ['a', 'd']);
  const list = value.get('a') as LuaTable;
  t.same([...list.map.keys()], [1, 3]);
  t.equal((list.get(3) as LuaTable).get('b'), true);
  const data = { a: [1, null, 'x'], b: { c: [true] } };
  t.same(hostDataOf(luaValueOf(data)), data, 'there and back');
});
