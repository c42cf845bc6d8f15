import { invalid, notFound } from '../../runtime/errors.ts';
import { textArgument } from '../../runtime/lua/arguments.ts';
import type { LuaModule } from '../../runtime/lua/engine.ts';
import { failed } from '../../runtime/lua/results.ts';
import { LuaTable } from '../../runtime/lua/values.ts';
import { VALUES } from '../function/port.ts';

/** The inherited bag of values, read-only (lua/ctx.md). What Lua gets is a copy. */
export const ctxModule: LuaModule = {
  name: 'ctx',
  functions: {
    get: ({ context }, args) => {
      const key = textArgument(args, 1, 'get');
      if (key === '') return failed(invalid('key is required'));
      const value = context.get(VALUES).get(key);
      return value === undefined ? failed(notFound(`key not found: ${key}`)) : [value, undefined];
    },
    all: ({ context }) => [new LuaTable(new Map(context.get(VALUES))), undefined],
  },
};
