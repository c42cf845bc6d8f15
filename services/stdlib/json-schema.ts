import { createRequire } from 'node:module';
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js';
import { decodeJson, encodeJson } from '../../runtime/codec/json.ts';
import { CallError, invalid, messageOf } from '../../runtime/errors.ts';
import type { HostResults } from '../../runtime/lua/engine.ts';
import { isLuaString, LuaTable, type LuaValue, textOf } from '../../runtime/lua/values.ts';

/** Compiled schemas that are kept; the least recently used one makes room. */
const MAX_COMPILED = 100;

/** `true, nil`, or `false, err` with what does not conform (lua/json.md, "validate"). */
export interface JsonSchemas {
  validate(schema: LuaValue, data: LuaValue): HostResults;
  validateString(schema: LuaValue, text: LuaValue): HostResults;
}

/** JSON Schema draft 2020-12; references stay inside the document, nothing is fetched. */
export const jsonSchemas = (): JsonSchemas => {
  const require = createRequire(import.meta.url);
  const compiled = new Map<string, ValidateFunction>();

  const compile = (schema: LuaValue): ValidateFunction => {
    if (schema === undefined) throw invalid('schema is required');
    if (!isLuaString(schema) && !(schema instanceof LuaTable)) throw invalid('schema must be a table or JSON text');
    const text = isLuaString(schema) ? textOf(schema) : encodeJson(schema);
    let known = compiled.get(text);
    if (known === undefined) {
      try {
        // Loaded by the first schema: most apps have none, and it would add to every start.
        const { Ajv2020 } = require('ajv/dist/2020.js') as { Ajv2020: new (options: object) => Ajv2020 };
        // One instance a schema: two schemas may have the same $id.
        known = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(
          JSON.parse(text, isLuaString(schema) ? undefined : emptySchema),
        );
      } catch (error) {
        throw invalid(`schema cannot be used: ${messageOf(error)}`);
      }
      const [oldest] = compiled.keys();
      if (compiled.size >= MAX_COMPILED && oldest !== undefined) compiled.delete(oldest);
    } else compiled.delete(text);
    compiled.set(text, known);
    return known;
  };

  const check = (schema: LuaValue, json: () => string): HostResults => {
    try {
      const validate = compile(schema);
      if (validate(JSON.parse(json()))) return [true, undefined];
      return [false, invalid(placesOf(validate))];
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      return [false, error.kind === 'Invalid' ? error : invalid(error.message)];
    }
  };

  return {
    validate: (schema, data) =>
      check(schema, () => {
        if (data === undefined) throw invalid('data is required');
        return encodeJson(data);
      }),
    validateString: (schema, text) =>
      check(schema, () => {
        if (!isLuaString(text)) throw invalid('data must be a JSON string');
        decodeJson(text); // its words for malformed JSON quote nothing of the data
        return textOf(text);
      }),
  };
};

/** Keywords whose value is a list also when it is empty. */
const LISTS: ReadonlySet<string> = new Set([
  'required',
  'enum',
  'type',
  'allOf',
  'anyOf',
  'oneOf',
  'prefixItems',
  'examples',
]);

/** An empty Lua table encodes as `[]`; where a schema stands it is the schema that accepts everything. */
const emptySchema = (key: string, value: unknown): unknown =>
  Array.isArray(value) && value.length === 0 && !LISTS.has(key) ? {} : value;

/** `/items/0/price: must be number`, one per fault, joined with `; `. */
const placesOf = ({ errors }: ValidateFunction): string =>
  (errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'}: ${message ?? 'is invalid'}`).join('; ');
