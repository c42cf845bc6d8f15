import { test } from 'tap';
import { lua, surfaceBench } from '../surface-bench.ts';

const value = async (t: Parameters<typeof surfaceBench>[0], body: string) =>
  (await surfaceBench(t, [lua('app:f', body)])).call('app:f');

test('data() gives the very same value; the format tells errors apart', async (t) => {
  t.equal(
    await value(
      t,
      `local v = {1}; local p = payload.new(v)
       local _, err = funcs.call('')
       return tostring(p:data() == v) .. p:get_format() .. payload.new(err):get_format() .. tostring(payload.new():data())
         .. tostring(p) .. tostring(payload.new(err):data():kind())`,
    ),
    'truelua/anygolang/errornilpayload{format=lua/any}Invalid',
  );
});

test('JSON and YAML round trips, and between each other', async (t) => {
  t.equal(
    await value(
      t,
      `local p = payload.new{list = {1, 2.5, 'x'}, map = {deep = {true}}, text = 'ä: "q"'}
       local out = {}
       for _, path in ipairs{ {'json/plain'}, {'yaml/plain'}, {'json/plain', 'yaml/plain'}, {'yaml/plain', 'json/plain', 'lua/any'} } do
         local q = p
         for _, format in ipairs(path) do q = assert(q:transcode(format)) end
         local d = q:unmarshal()
         out[#out + 1] = d.list[1] + d.list[2] .. d.list[3] .. tostring(d.map.deep[1]) .. d.text
       end
       return out[1] == out[2] and out[2] == out[3] and out[3] == out[4] and out[1]`,
    ),
    '3.5xtrueä: "q"',
  );
});

test('strings and bytes; what does not fit or has no conversion is Internal', async (t) => {
  const result = await value(
    t,
    `local s = payload.new('a\\xff')
     local function fault(p, f) local v, e = p:transcode(f); return tostring(v) .. e:kind() .. tostring(e:retryable()) end
     return tostring(s:transcode(payload.format.BYTES):data() == 'a\\xff') .. tostring(s:transcode('text/plain'):transcode('lua/any'):data() == 'a\\xff')
       .. fault(payload.new(1), payload.format.STRING) .. fault(s, payload.format.MSGPACK) .. fault(s, 'x') .. fault(s:transcode('text/plain'), 'json/plain')
       .. s:transcode('lua/any'):get_format() .. tostring(pcall(s.transcode, s, {})) .. tostring(pcall(function() payload.format.X = 1 end))`,
  );
  t.match(result, /^truetrue(nilInternalfalse){4}lua\/anyfalse.*false/);
});

test('a payload does not cross a call', async (t) => {
  const bench = await surfaceBench(t, [
    lua('app:f', `return funcs.call('app:g', payload.new(1), {p = payload.new(1), n = 1})`),
    lua('app:g', `local p, t = ...; return tostring(p) .. tostring(t.p) .. t.n`),
  ]);
  t.equal(await bench.call('app:f'), 'nilnil1');
});
