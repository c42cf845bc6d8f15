import { test } from 'tap';
import type { LuaTable } from '../../../../runtime/lua/values.ts';
import { luaBench } from '../../../harness/lua.ts';

test('strings of the host, of constants and those put together are the same string and the same key', async (t) => {
  const { run } = luaBench();
  for (const text of ['', 'a', 'content-type', 'größe', '\u{1F600}', 'x'.repeat(30), 'ü'.repeat(30), '\0\x01']) {
    const body = `local s = ...
      local parts = {} for i = 1, #s do parts[i] = s:sub(i, i) end
      local made = table.concat(parts)
      local t = {[s] = 1} t[made] = (t[made] or 0) + 1
      return {s == made, made == s, t[s], t[made], #s, s .. '', made < s}`;
    const bytes = Buffer.byteLength(text);
    const out = await run(body, { args: [text] });
    t.same((out as LuaTable).sequence(), [true, true, 2, 2, bytes, text, false]);
  }
});

test('different bytes are different keys, also where their digits are the same', async (t) => {
  const { run } = luaBench();
  t.equal(await run(String.raw`local t = {["\1\18"] = 1} return t["\17\2"]`), undefined);
  t.equal(await run(String.raw`local t = {["\1\18"] = 1} return t["\1\18"]`), 1);
  t.equal(await run(String.raw`local t = {["\195\188"] = 1} return t["ü"]`), 1, 'bytes of a text are the text');
  t.equal(await run('local a, b = ... return a == b', { args: ['ü', Uint8Array.of(0xfc)] }), false);
  t.equal(await run('local a, b = ... return ({[a] = 1})[b]', { args: ['\u00fc', Uint8Array.of(0xfc)] }), undefined);
  t.equal(await run('local a, b = ... return ({[a] = 1})[b]', { args: ['ü', Uint8Array.of(0xc3, 0xbc)] }), 1);
});

test('joined strings are those of their bytes, whether they are kept as text or not', async (t) => {
  const { run } = luaBench();
  const long = 'x'.repeat(40);
  const parts = ['a', 'ü', '', long, '\u{1F600}', Uint8Array.of(0xff), Uint8Array.of(0xc3), Uint8Array.of(0xbc)];
  const body = 'local a, b, c = ... local s = a .. b .. c return {s, #s, s:byte(1, 1), s == a .. (b .. c)}';
  for (const first of parts) {
    for (const second of parts) {
      const bytes = Buffer.concat([Buffer.from(first), Buffer.from(second), Buffer.from('7')]);
      const text = bytes.toString();
      const isText = Buffer.from(text).equals(bytes);
      const [joined, length, byte, isSame] = ((await run(body, { args: [first, second, 7] })) as LuaTable).sequence();
      t.same(Buffer.from(joined as string), bytes);
      t.equal(typeof joined, isText ? 'string' : 'object');
      t.same([length, byte, isSame], [bytes.length, bytes[0], true]);
    }
  }
});

test('half a surrogate pair is U+FFFD on both sides', async (t) => {
  const { run } = luaBench();
  t.equal(await run('return (...)', { args: ['a\ud800b'] }), 'a\ufffdb');
  t.equal(await run('return (...) == "a\\239\\191\\189b"', { args: ['a\ud800b'] }), true);
});

test('more field names than are kept still cross', async (t) => {
  const { run } = luaBench();
  const record = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`field${i}`, i]));
  const body = 'local t, sum = ..., 0 for i = 0, 2999 do sum = sum + t["field" .. i] end return sum';
  for (let i = 0; i < 2; i += 1) t.equal(await run(body, { args: [record] }), (2999 * 3000) / 2);
});

test('keys that are taken away during a walk and set again', async (t) => {
  const { run } = luaBench();
  const body = `local t, seen = {a = 1, b = 2, c = 3, [{}] = 4, [7] = 5}, 0
    for k in pairs(t) do t[k] = nil seen = seen + 1 end
    local left = next(t)
    t.b = 1 t.b = nil t.a = 2
    return seen * 100 + (left == nil and 10 or 0) + t.a`;
  t.equal(await run(body), 512);
  t.equal(await run('local ok = pcall(next, {}, "never there") return ok'), false);
});
