import { test } from 'tap';
import { luaTests } from '../harness/lua-tests.ts';

test('the module security, and the guards of the others', (t) => luaTests(t, 'test/lua/security'));
test('strict mode', (t) => luaTests(t, 'test/lua/security-strict'));
