import { test } from 'tap';
import { LuaTable } from '../../../runtime/lua/values.ts';
import { DESCRIPTIONS } from '../../../services/system/modules.ts';
import { functionsFile, programIn } from '../../harness/in-process.ts';

test('the engine knows the modules that are described, and no other', async (t) => {
  const body = 'local out = {} for i, m in ipairs(system.modules()) do out[i] = m.name end return out';
  const program = await programIn(
    t,
    t.testdir({ '_index.yaml': functionsFile({ names: { body, more: { modules: ['system'] } } }) }),
  );
  const names = (await program.call('app:names')) as LuaTable;
  t.ok(names instanceof LuaTable);
  t.same(names.sequence(), Object.keys(DESCRIPTIONS).sort());
});

test('a module of a surface that is off is not listed', async (t) => {
  const body = 'for _, m in ipairs(system.modules()) do if m.name == ... then return true end end return false';
  const dir = t.testdir({ '_index.yaml': functionsFile({ has: { body, more: { modules: ['system'] } } }) });
  const program = await programIn(t, dir, { set: { 'surfaces.kv': false } });
  t.equal(await program.call('app:has', ['store']), false);
  t.equal(await program.call('app:has', ['queue']), true);
});

test('without an actor all is allowed, and nothing in strict mode', async (t) => {
  const body = 'local v, err = system.process.pid() return v or err:message()';
  const dir = t.testdir({ '_index.yaml': functionsFile({ pid: { body, more: { modules: ['system'] } } }) });
  t.equal(await (await programIn(t, dir)).call('app:pid'), process.pid);
  const strict = await programIn(t, dir, { set: { 'security.strict_mode': true } });
  t.equal(await strict.call('app:pid'), 'permission denied: system.read on pid');
});
