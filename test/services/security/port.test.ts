import { test } from 'tap';
import { type CallContext, rootContext } from '../../../runtime/context.ts';
import { LuaTable } from '../../../runtime/lua/values.ts';
import { SecurityActor } from '../../../services/security/actor.ts';
import {
  ACTOR,
  type Actor,
  isGuarded,
  operationGuard,
  SCOPE,
  SECURITY,
  serviceContextOf,
  type Verdict,
} from '../../../services/security/port.ts';
import { surfaceBench } from '../surface-bench.ts';

const ann: Actor = { id: 'ann', meta: new LuaTable() };
const scopeOf = (verdict: Verdict) => ({ evaluate: () => verdict });

test('who may do what: actor, scope and strict mode', async (t) => {
  const loose = operationGuard({ strictSecurity: false });
  const strict = operationGuard({ strictSecurity: true });
  const half = [rootContext, rootContext.with(ACTOR, ann), rootContext.with(SCOPE, scopeOf('deny'))];
  for (const context of half) {
    t.equal(loose(context, 'a', 'r'), true);
    t.equal(strict(context, 'a', 'r'), false);
    t.equal(isGuarded(context), false);
  }
  for (const [verdict, wanted] of [
    ['allow', true],
    ['deny', false],
    ['undefined', false],
  ] as const) {
    const context = rootContext.with(ACTOR, ann).with(SCOPE, scopeOf(verdict));
    t.equal(loose(context, 'a', 'r'), wanted, verdict);
    t.equal(strict(context, 'a', 'r'), wanted, `${verdict}, strict`);
    t.equal(isGuarded(context), true);
  }
});

test('without a context a check is two reads and nothing else', async (t) => {
  const read: string[] = [];
  const context = new Proxy(rootContext, {
    get(target, key) {
      if (key !== 'get') throw new Error(`reads ${String(key)}`);
      return (one: Parameters<CallContext['get']>[0]) => {
        read.push(one.name);
        return target.get(one);
      };
    },
  });
  t.equal(operationGuard({ strictSecurity: false })(context, 'a', 'r'), true);
  t.same(read, ['security.actor', 'security.scope']);
});

test('actor and scope are inherited by what a call starts', async (t) => {
  const context = rootContext.with(ACTOR, ann).with(SCOPE, scopeOf('allow')).inherited();
  t.equal(context.get(ACTOR), ann);
  t.ok(isGuarded(context));
});

const POLICY = {
  id: 'app:read',
  kind: 'security.policy',
  groups: ['app:readers'],
  policy: {
    actions: 'read',
    resources: '*',
    effect: 'allow',
    conditions: [{ field: 'actor.meta.n', operator: 'eq', value: 1 }],
  },
};

test('the context of a service', async (t) => {
  const { env } = await surfaceBench(t, [POLICY]);
  const security = env.use(SECURITY);
  t.equal(serviceContextOf(env, { security: undefined }), rootContext, 'none');
  const actor = { id: 'svc', meta: { n: 1, list: ['a'] } };
  const only = serviceContextOf(env, { security: { actor } });
  t.equal(only.get(ACTOR)?.id, 'svc');
  const list = only.get(ACTOR)?.meta.get('list');
  t.equal(list instanceof LuaTable && list.get(1), 'a');
  t.equal(only.get(SCOPE), undefined, 'no scope where none is described');
  t.ok(security.allows(only, 'write', 'x'));
  const empty = serviceContextOf(env, { security: { actor, policies: [] } });
  t.notOk(security.allows(empty, 'read', 'x'), 'an empty list is a scope');
  for (const lists of [{ policies: ['app:read'] }, { groups: ['app:readers'] }]) {
    const full = serviceContextOf(env, { security: { actor, ...lists } });
    t.ok(security.allows(full, 'read', 'x'));
    t.notOk(security.allows(full, 'write', 'x'));
    t.ok(security.isActor(full.get(ACTOR)) && security.isScope(full.get(SCOPE)));
  }
  const scope = serviceContextOf(env, { security: { policies: ['app:read'] } });
  t.equal(scope.get(ACTOR), undefined);
  t.throws(() => security.serviceContext({ policies: ['app:gone'] }), { kind: 'NotFound', message: /app:gone/ });
  t.throws(() => security.serviceContext({ groups: ['app:gone'] }), { kind: 'NotFound', message: /app:gone/ });
});

test('what is an actor or a scope is told by its class, not by its looks', async (t) => {
  const security = (await surfaceBench(t, [])).env.use(SECURITY);
  t.ok(security.isActor(new SecurityActor('ann', new LuaTable())));
  for (const other of [ann, 'ann', undefined, scopeOf('allow')]) {
    t.notOk(security.isActor(other));
    t.notOk(security.isScope(other));
  }
});
