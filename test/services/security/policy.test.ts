import { test } from 'tap';
import { LuaTable, type LuaValue } from '../../../runtime/lua/values.ts';
import { SecurityActor } from '../../../services/security/actor.ts';
import { type DeclaredCondition, MAX_SEARCHED } from '../../../services/security/conditions.ts';
import { SecurityPolicy } from '../../../services/security/policy.ts';
import { PolicyScope } from '../../../services/security/scope.ts';

const table = (fields: Record<string, LuaValue>) => new LuaTable(new Map(Object.entries(fields)));
const ann = new SecurityActor('ann', table({ pattern: '^b+$', broken: '(' }));
const policy = (effect: 'allow' | 'deny', ...conditions: DeclaredCondition[]) =>
  new SecurityPolicy('app:p', { actions: ['*'], resources: ['*'], effect, conditions });
const meta = (v: LuaValue) => ({ v });

test('meta is a Lua table or a plain object, and holds nothing that it was not given', async (t) => {
  const one = policy('allow', { field: 'meta.v', operator: 'eq', value: 5 });
  t.equal(one.evaluate(ann, 'a', 'r', { v: 5 }), 'allow');
  t.equal(one.evaluate(ann, 'a', 'r', table({ v: 5 })), 'allow');
  t.equal(one.evaluate(ann, 'a', 'r', {}), 'undefined');
  const inherited = policy('allow', { field: 'meta.constructor', operator: 'exists', value: true });
  t.equal(inherited.evaluate(ann, 'a', 'r', {}), 'undefined');
  const deep = policy('allow', { field: 'meta.constructor.name', operator: 'exists', value: true });
  t.equal(deep.evaluate(ann, 'a', 'r', {}), 'undefined');
  const item = policy('allow', { field: 'meta.list.2', operator: 'eq', value: 'b' });
  const list = new LuaTable(new Map<number, LuaValue>([[1, 'a']]).set(2, 'b'));
  t.equal(item.evaluate(ann, 'a', 'r', { list }), 'allow');
});

test('bytes that are no text equal no text', async (t) => {
  const eq = policy('allow', { field: 'meta.v', operator: 'eq', value: '\ufffd' });
  t.equal(eq.evaluate(ann, 'a', 'r', meta('\ufffd')), 'allow');
  t.equal(eq.evaluate(ann, 'a', 'r', meta(new Uint8Array([0xff]))), 'undefined');
});

test('what cannot be told is taken against the actor', async (t) => {
  const pattern = { field: 'meta.v', operator: 'matches', value: '^b' } as const;
  const long = 'a'.repeat(MAX_SEARCHED + 1);
  t.equal(policy('allow', { ...pattern, operator: 'nmatches' }).evaluate(ann, 'a', 'r', meta(long.slice(1))), 'allow');
  for (const operator of ['matches', 'nmatches'] as const) {
    const condition = { ...pattern, operator };
    t.equal(policy('allow', condition).evaluate(ann, 'a', 'r', meta(long)), 'undefined', `${operator} allows nothing`);
    t.equal(policy('deny', condition).evaluate(ann, 'a', 'r', meta(long)), 'deny', `${operator} denies`);
    const broken = { field: 'meta.v', operator, value_from: 'actor.meta.broken' };
    t.equal(policy('allow', broken).evaluate(ann, 'a', 'r', meta('b')), 'undefined');
    t.equal(policy('deny', broken).evaluate(ann, 'a', 'r', meta('b')), 'deny');
  }
});

test('a pattern may come from the actor or the call', async (t) => {
  const one = policy('allow', { field: 'meta.v', operator: 'matches', value_from: 'actor.meta.pattern' });
  t.equal(one.evaluate(ann, 'a', 'r', meta('bbb')), 'allow');
  t.equal(one.evaluate(ann, 'a', 'r', meta('bab')), 'undefined');
  const not = policy('allow', { field: 'meta.v', operator: 'nmatches', value_from: 'actor.meta.pattern' });
  t.equal(not.evaluate(ann, 'a', 'r', meta('bab')), 'allow');
  const gone = policy('allow', { field: 'meta.v', operator: 'nmatches', value_from: 'actor.meta.gone' });
  t.equal(gone.evaluate(ann, 'a', 'r', meta('bab')), 'undefined', 'nothing to compare with');
});

test('all conditions must hold', async (t) => {
  const is = (value: string) => ({ field: 'resource', operator: 'contains', value }) as const;
  t.equal(policy('deny', is('x'), is('y')).evaluate(ann, 'a', 'xy'), 'deny');
  t.equal(policy('deny', is('x'), is('y')).evaluate(ann, 'a', 'x'), 'undefined');
});

test('a scope keeps one policy of each id, in the order in which they came', async (t) => {
  const [a, b] = ['app:a', 'app:b'].map(
    (id) => new SecurityPolicy(id, { actions: ['*'], resources: ['*'], effect: 'allow', conditions: [] }),
  ) as [SecurityPolicy, SecurityPolicy];
  const scope = new PolicyScope([b]).with(a).with(b);
  t.same(
    scope.policies.map(({ id }) => id),
    ['app:b', 'app:a'],
  );
  t.ok(scope.has('app:a'));
  t.notOk(scope.without('app:a').has('app:a'));
});
