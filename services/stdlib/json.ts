import { decodeJson, encodeJson } from '../../runtime/codec/json.ts';
import { CallError, invalid } from '../../runtime/errors.ts';
import type { HostResults, LuaModule } from '../../runtime/lua/engine.ts';
import { type HostValue, isLuaString } from '../../runtime/lua/values.ts';

/** The module `json` (lua/json.md, "encode" and "decode"). */
export const jsonModule: LuaModule = {
  name: 'json',
  functions: {
    encode: (_thread, args) => resultOrError(() => encodeJson(args[0])),
    decode: (_thread, args) => {
      const text = args[0];
      if (!isLuaString(text)) return [undefined, invalid('string expected')];
      if (text.length === 0) return [undefined, invalid('cannot decode an empty string')];
      return resultOrError(() => decodeJson(text));
    },
  },
};

/** `value, nil`, or `nil, err` for what the codec refuses. */
const resultOrError = (body: () => HostValue): HostResults => {
  try {
    return [body(), undefined];
  } catch (error) {
    if (error instanceof CallError) return [undefined, error];
    throw error;
  }
};
