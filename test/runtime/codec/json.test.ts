import { type Test, test } from 'tap';
import { decodeJson, encodeJson } from '../../../runtime/codec/json.ts';
import { CallError } from '../../../runtime/errors.ts';
import {
  type HostValue,
  hostObject,
  LuaOpaque,
  LuaTable,
  type LuaValue,
  luaReference,
} from '../../../runtime/lua/values.ts';

const table = (entries: Iterable<readonly [string | number | boolean | Uint8Array, LuaValue]>) =>
  new LuaTable(new Map(entries));
const sequence = (...items: LuaValue[]) => table(items.map((item, i) => [i + 1, item] as const));
const failure = (body: () => unknown): CallError => {
  try {
    body();
  } catch (error) {
    if (error instanceof CallError) return error;
    throw error;
  }
  throw new Error('expected a CallError');
};
const internal = (t: Test, body: () => unknown, message: string | RegExp): void => {
  const error = failure(body);
  t.equal(error.kind, 'Internal');
  t.equal(error.retryable, false);
  t.match(error.message, message);
};

test('encode: scalars, by the rows of json.md', async (t) => {
  t.equal(encodeJson(undefined), 'null');
  t.equal(encodeJson(true), 'true');
  t.equal(encodeJson(false), 'false');
  t.equal(encodeJson('a"b\n\u0001é'), '"a\\"b\\n\\u0001é"');
  t.equal(encodeJson(Buffer.from([0x61, 0xff, 0x62])), '"a\ufffdb"', 'bytes that are not UTF-8 become U+FFFD');
  t.equal(encodeJson('a\ud800b'), '"a\ufffdb"', 'so does half a surrogate pair');
  t.equal(encodeJson(0.1 + 0.2), '0.30000000000000004', 'shortest form that reads back the same');
  t.equal(encodeJson(new CallError('no such order', { kind: 'NotFound' })), '"no such order"');
  t.equal(encodeJson(new LuaOpaque('function', 'function: 0x1')), 'null');
  t.equal(encodeJson({ [hostObject]: true }), 'null');
  t.equal(encodeJson(new Date(0) as never), 'null', 'an object of a class is no plain object');
});

test('encode: every ASCII character, in short texts and in long ones', async (t) => {
  for (let code = 0; code < 0x80; code += 1) {
    const character = String.fromCharCode(code);
    for (const text of [character, `a${character}b`, character.repeat(40)]) {
      t.equal(encodeJson(text), JSON.stringify(text));
    }
  }
});

test('rule 57: whole numbers keep all their digits, without fraction or exponent', async (t) => {
  t.equal(encodeJson(5), '5');
  t.equal(encodeJson(-0), '0');
  t.equal(encodeJson(1_700_000_000 * 1000), '1700000000000');
  t.equal(encodeJson(2 ** 53 - 1), '9007199254740991');
  t.equal(encodeJson(1e20), '100000000000000000000');
  t.equal(decodeJson('1700000000000'), 1_700_000_000_000);
  t.equal(decodeJson('-3.0'), -3);
});

test('rule 32: NaN and the infinities leave as null and never come in', async (t) => {
  t.equal(encodeJson(sequence(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)), '[null,null,null]');
  internal(t, () => decodeJson('[1e999]'), /number out of range/);
});

test('encode: tables, by the rows of json.md', async (t) => {
  t.equal(encodeJson(sequence(1, 'a', sequence(true))), '[1,"a",[true]]');
  t.equal(
    encodeJson(
      table([
        [2, 'b'],
        [1, 'a'],
      ]),
    ),
    '["a","b"]',
    'whatever the order of insertion',
  );
  t.equal(encodeJson(table([])), '[]');
  t.equal(
    encodeJson(
      table([
        ['a', 1],
        ['b c', table([['d', 'e']])],
      ]),
    ),
    '{"a":1,"b c":{"d":"e"}}',
  );
  t.equal(encodeJson(table([[Buffer.from([0xff]), 1]])), '{"\ufffd":1}');
  t.equal(
    encodeJson(
      table([
        ['a', undefined],
        ['b', 1],
      ]),
    ),
    '{"b":1}',
    'nil is no member',
  );
  internal(
    t,
    () =>
      encodeJson(
        table([
          ['a', 1],
          [1, 2],
        ]),
      ),
    'cannot encode mixed-key table',
  );
  internal(
    t,
    () =>
      encodeJson(
        table([
          [1, 'a'],
          [3, 'c'],
        ]),
      ),
    'cannot encode sparse array',
  );
  internal(t, () => encodeJson(table([[0, 'a']])), 'cannot encode sparse array');
  internal(t, () => encodeJson(table([[1.5, 'a']])), 'cannot encode sparse array');
  internal(t, () => encodeJson(table([[true, 'a']])), 'boolean key');
  const shared = sequence(1);
  t.equal(encodeJson(sequence(shared, shared)), '[[1],[1]]', 'the same table twice is no cycle');
});

test('encode: an empty table that was decoded from an object is an object again', async (t) => {
  for (const text of ['{}', '[]', '[{},[]]', '{"a":{}}']) t.equal(encodeJson(decodeJson(text)), text);
  t.equal(encodeJson(decodeJson('{"a":null}')), '{}');
  const filled = decodeJson('{}') as LuaTable;
  filled.map.set(1, 'x');
  t.equal(encodeJson(filled), '["x"]', 'only while it is empty');
});

test('encode: a cycle is named by its path', async (t) => {
  const root = table([['name', 'x']]);
  root.map.set('items', sequence(1, table([['owner', root]])));
  internal(t, () => encodeJson(root), /^recursive table at items\[2\]\.owner$/);
  const self = sequence(0);
  self.map.set(1, self);
  internal(t, () => encodeJson(self), /^recursive table at \[1\]$/);
  const odd = table([]);
  odd.map.set('a b', odd);
  internal(t, () => encodeJson(odd), /^recursive table at \["a b"\]$/);
  const host: Record<string, HostValue> = {};
  host.me = [host];
  internal(t, () => encodeJson(host), /^recursive table at me\[1\]$/);
});

test('encode: 128 levels are accepted, 129 are not', async (t) => {
  const nested = (depth: number): LuaTable => (depth === 1 ? sequence(1) : sequence(nested(depth - 1)));
  t.equal(encodeJson(nested(128)), `${'['.repeat(128)}1${']'.repeat(128)}`);
  internal(t, () => encodeJson(nested(129)), /^nesting deeper than 128 tables/);
});

test('encode: tables that share tables cannot fill the memory', async (t) => {
  let shared = sequence('x');
  for (let i = 0; i < 100; i += 1) shared = sequence(shared, shared);
  internal(t, () => encodeJson(shared), /^value too large for JSON: above 67108864 bytes/);
});

test('encode: plain host data', async (t) => {
  const value: HostValue = { a: [1, null, undefined, 'x'], b: null, c: {}, d: undefined, e: table([['f', 1]]) };
  t.equal(encodeJson(value), '{"a":[1,null,null,"x"],"b":null,"c":{},"e":{"f":1}}');
  const reference = { [luaReference]: true as const, copy: () => sequence('copied') };
  t.equal(encodeJson(reference), '["copied"]');
});

test('decode: every kind of value, by the rows of json.md', async (t) => {
  t.equal(decodeJson('"x"'), 'x');
  t.equal(decodeJson(' true\n'), true);
  t.equal(decodeJson('null'), undefined);
  t.equal(decodeJson(Buffer.from('"é"')), 'é');
  t.equal(decodeJson(Buffer.from([0x22, 0xff, 0x22])), '\ufffd');
  t.equal(decodeJson('"\\u00e9\\ud83d\\ude00"'), 'é😀');
  t.equal(decodeJson('"\\ud83d"'), '\ufffd', 'half a pair has no UTF-8');
  const list = decodeJson('[1,null,3]') as LuaTable;
  t.same(
    [...list.map],
    [
      [1, 1],
      [3, 3],
    ],
    'null in an array is a hole',
  );
  const object = decodeJson('{"a":1,"b":null,"c":{"d":[]},"a":2,"__proto__":3}') as LuaTable;
  t.equal(object.get('a'), 2, 'the last of two equal keys wins');
  t.notOk(object.map.has('b'), 'a null member is absent');
  t.equal(object.get('__proto__'), 3);
  t.notOk((decodeJson('{"a":1,"a":null}') as LuaTable).map.has('a'));
});

test('decode: what is no JSON is Internal and quotes nothing of the text', async (t) => {
  for (const text of ['', '{', '[1,]', '{"a":hunter2}', '1 x', '"hunter2', "{'a':1}", '[1] 2', '\u00a01', 'NaN']) {
    const error = failure(() => decodeJson(text));
    t.equal(error.kind, 'Internal', text);
    t.equal(error.retryable, false);
    t.match(error.message, /^malformed JSON: /);
    t.notMatch(error.message, 'hunter2');
  }
});

test('decode: deep texts end in an error, not in a stack overflow', async (t) => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  t.ok(decodeJson(nested(10_000)) instanceof LuaTable);
  internal(t, () => decodeJson(nested(10_001)), /nesting deeper than 10000/);
  internal(t, () => decodeJson(nested(500_000)), /nesting deeper than 10000/);
});
