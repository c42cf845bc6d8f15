import { test } from 'tap';
import { luaTests } from '../harness/lua-tests.ts';

test('lua/funcs.md, lua/payload.md and lua/ctx.md, line by line', (t) => luaTests(t, 'test/lua/funcs'));
