import { test } from 'tap';
import { CallError } from '../../../runtime/errors.ts';
import { hostObject, LuaOpaque, LuaTable } from '../../../runtime/lua/values.ts';
import { eventData } from '../../../services/events/data.ts';

test('what Lua can represent arrives as it is, as a copy', (t) => {
  const data = { list: [1, 'two', { three: true }], none: null, bytes: new Uint8Array([0, 255]) };
  const copy = eventData(data);
  t.same(copy, data);
  data.list.push('later');
  data.bytes[0] = 7;
  t.same(copy, { list: [1, 'two', { three: true }], none: null, bytes: new Uint8Array([0, 255]) });
  for (const value of [false, 0, '', 0.5]) t.equal(eventData(value), value);
  t.end();
});

test('what has a nearest form takes it: dates, big integers, maps, sets, errors, Lua tables', (t) => {
  t.equal(eventData(new Date(1500)), 1.5);
  t.equal(eventData(7n), 7);
  t.equal(eventData(2n ** 62n), 2 ** 62);
  t.same(eventData(new Map([[1, 'a']])), { 1: 'a' });
  t.same(eventData(new Set(['a', 'b'])), ['a', 'b']);
  const error = new CallError('x', { kind: 'Conflict' });
  t.equal(eventData(error), error);
  t.match(eventData(new TypeError('y')), { message: 'y', kind: 'Internal' });
  t.same(
    eventData(
      new LuaTable(
        new Map([
          [1, 'a'],
          [3, 'c'],
        ]),
      ),
    ),
    ['a', null, 'c'],
  );
  t.end();
});

test('what has none is nil, and what stands beside it stays', (t) => {
  const self: Record<string, unknown> = { kept: 1 };
  self.self = self;
  const table = new LuaTable();
  table.map.set('self', table);
  const nothing = {
    function: () => {},
    symbol: Symbol('s'),
    undefined: undefined,
    beyond: 2n ** 63n,
    host: { [hostObject]: true },
    opaque: new LuaOpaque('function', 'function'),
    table,
  };
  t.same(eventData({ ...nothing, self }), {
    ...Object.fromEntries(Object.keys(nothing).map((key) => [key, null])),
    self: { kept: 1, self: null },
  });
  const shared = { n: 1 };
  t.same(eventData([shared, shared]), [{ n: 1 }, { n: 1 }], 'twice the same is no circle');
  let deep: unknown = 'bottom';
  for (let i = 0; i < 1000; i += 1) deep = [deep];
  t.notMatch(JSON.stringify(eventData(deep)), /bottom/);
  t.end();
});
