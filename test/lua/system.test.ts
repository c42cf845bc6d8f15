import { test } from 'tap';
import { luaTests } from '../harness/lua-tests.ts';

test('lua/system.md, line by line', (t) => luaTests(t, 'test/lua/system'));
