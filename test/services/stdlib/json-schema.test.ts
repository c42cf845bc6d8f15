import { test } from 'tap';
import { stdlibBench } from './stdlib-bench.ts';

/** `true`, or kind and text of the fault. */
const check = (call: string): Promise<unknown> =>
  stdlibBench().run(
    `local json = require("json"); local ok, e = ${call}; if ok then return true end; return e:kind() .. ": " .. e:message()`,
  );

const ORDER =
  '{type = "object", required = {"id"}, properties = {id = {type = "integer"}, items = {type = "array", items = {["$ref"] = "#/$defs/item"}}}, ["$defs"] = {item = {type = "string", pattern = "^a"}}}';

test('json.validate: what conforms, and where what does not', async (t) => {
  t.equal(await check(`json.validate(${ORDER}, {id = 1, items = {"a", "ab"}})`), true);
  t.equal(
    await check(`json.validate(${ORDER}, {items = {"a", "b"}})`),
    'Invalid: /: must have required property \'id\'; /items/1: must match pattern "^a"',
  );
  t.equal(await check(`json.validate('{"type":"string"}', "x")`), true, 'the schema may be JSON text');
  t.equal(await check(`json.validate('{"const": 3}', 3.0)`), true);
  t.equal(
    await check('json.validate({properties = {x = {}}, required = {}}, {x = 1})'),
    true,
    'an empty table is an empty schema',
  );
  t.equal(await check(`json.validate('{"type":"integer"}', 1.5)`), 'Invalid: /: must be integer');
});

test('json.validate: faults of the call', async (t) => {
  t.equal(await check('json.validate(nil, 1)'), 'Invalid: schema is required');
  t.equal(await check('json.validate({}, nil)'), 'Invalid: data is required');
  t.match(await check('json.validate(true, 1)'), /^Invalid: schema must be/);
  t.match(await check(`json.validate('{"type":"nonsense"}', 1)`), /^Invalid: schema cannot be used/);
  t.match(
    await check(`json.validate('{"$ref":"http://127.0.0.1/x"}', 1)`),
    /^Invalid: schema cannot be used/,
    'nothing is fetched',
  );
});

test('json.validate_string', async (t) => {
  t.equal(await check(`json.validate_string('{"type":"array"}', '[1]')`), true);
  t.equal(await check(`json.validate_string('{"type":"array"}', '{}')`), 'Invalid: /: must be array');
  t.equal(await check(`json.validate_string('{"type":"array"}', {})`), 'Invalid: data must be a JSON string');
  t.match(await check(`json.validate_string('{"type":"array"}', '[1')`), /^Invalid: /);
});
