import { decodeJson, encodeJson } from '../../runtime/codec/json.ts';
import { CallError, invalid } from '../../runtime/errors.ts';
import type { HostResults, LuaModule } from '../../runtime/lua/engine.ts';
import { type HostValue, isLuaString } from '../../runtime/lua/values.ts';
import type { JsonSchemas } from './json-schema.ts';

/** The module `json` (lua/json.md). */
export const jsonModule = (schemas: JsonSchemas): LuaModule => ({
  name: 'json',
  functions: {
    validate: (_thread, [schema, data]) => schemas.validate(schema, data),
    validate_string: (_thread, [schema, text]) => schemas.validateString(schema, text),
    encode: (_thread, args) => resultOrError(() => encodeJson(args[0])),
    decode: (_thread, args) => {
      const text = args[0];
      if (!isLuaString(text)) return [undefined, invalid('string expected')];
      if (text.length === 0) return [undefined, invalid('cannot decode an empty string')];
      return resultOrError(() => decodeJson(text));
    },
  },
});

/** `value, nil`, or `nil, err` for what the codec refuses. */
const resultOrError = (body: () => HostValue): HostResults => {
  try {
    return [body(), undefined];
  } catch (error) {
    if (error instanceof CallError) return [undefined, error];
    throw error;
  }
};
