import { runInNewContext } from 'node:vm';
import { test } from 'tap';
import { luaValueOf } from '../../../runtime/codec/host-data.ts';
import { refuseOpaqueRecord } from '../../../runtime/lua/plain-record.ts';
import type { HostValue, LuaTable } from '../../../runtime/lua/values.ts';
import { luaBench } from '../../harness/lua.ts';

class Point {
  x = 1;
}
class Secret {
  readonly #it = 1;
  get(): number {
    return this.#it;
  }
}
const OPAQUE: Readonly<Record<string, object>> = {
  Date: new Date(0),
  Map: new Map([['a', 1]]),
  Set: new Set([1]),
  Promise: Promise.resolve(1),
  Error: new Error('boom'),
  TypeError: Object.assign(new TypeError('boom'), { code: 'E_BOOM' }),
  Uint16Array: new Uint16Array([1, 2]),
  Secret: new Secret(),
};

test('what would arrive empty, or without its meaning, is refused by its name', async (t) => {
  const lua = luaBench({ odd: (_thread, [name]) => [OPAQUE[String(name)] as HostValue] });
  for (const [name, value] of Object.entries(OPAQUE)) {
    const error = { kind: 'Internal', retryable: false, message: `a ${name} cannot be given to Lua` };
    t.throws(() => refuseOpaqueRecord(value), error, name);
    t.throws(() => luaValueOf({ a: [value as HostValue] }), error, name);
    await t.rejects(lua.run(`return host.odd("${name}")`), error, 'what a host function returns');
    await t.rejects(lua.run('return ...', { args: [[value as HostValue]] }), error, 'what a host program passes');
  }
});

test('records of any class cross by their fields, empty plain ones as empty tables', async (t) => {
  const lua = luaBench();
  const bare = Object.assign(Object.create(null), { x: 1 });
  for (const value of [new Point(), bare, { x: 1 }, runInNewContext('({ x: 1 })')]) {
    t.doesNotThrow(() => refuseOpaqueRecord(value));
    t.equal((luaValueOf(value) as LuaTable).get('x'), 1);
    t.equal(await lua.run('return (...).x', { args: [value] }), 1);
  }
  for (const value of [{}, Object.create(null), runInNewContext('({})')]) {
    t.equal(await lua.run('return next(...) == nil', { args: [value] }), true);
  }
});
