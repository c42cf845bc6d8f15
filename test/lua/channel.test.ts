import { test } from 'tap';
import { luaTests } from '../harness/lua-tests.ts';

test('lua/channel.md, line by line', (t) => luaTests(t, 'test/lua/channel'));
