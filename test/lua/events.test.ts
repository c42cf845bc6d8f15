import { test } from 'tap';
import { luaTests } from '../harness/lua-tests.ts';

test('lua/events.md, line by line', (t) => luaTests(t, 'test/lua/events'));
