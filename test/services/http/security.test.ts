import { test } from 'tap';
import type { CallContext } from '../../../runtime/context.ts';
import { TRACE } from '../../../runtime/trace.ts';
import { declaredPolicies } from '../../../services/security/policies.ts';
import { ACTOR, operationGuard, SCOPE, type Security } from '../../../services/security/port.ts';
import { serviceContext } from '../../../services/security/service-context.ts';
import { securitySurface } from '../../../services/security/surface.ts';
import { declare, type Handler } from './fake-env.ts';
import { startServer } from './start-server.ts';

const { registry } = declare(securitySurface, [
  { id: 'app:calls', kind: 'security.policy', policy: { actions: 'funcs.*', resources: '*', effect: 'allow' } },
]);
const policies = declaredPolicies(registry);
const security: Security = {
  allows: operationGuard({ strictSecurity: false }),
  isActor: (_value): _value is never => false,
  isScope: (_value): _value is never => false,
  serviceContext: (described) => serviceContext(policies, described),
};

/** Remembers the context of each call. */
const remembering =
  (seen: CallContext[]): Handler =>
  (_lua, context) => {
    seen.push(context);
    return { value: true, count: 1 };
  };
const SERVICE = { lifecycle: { security: { actor: { id: 'gate' }, policies: ['app:calls'] } } };
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test("a request has its service's actor and scope, within the caller's trace", async (t) => {
  for (const extractHeaders of [true, false]) {
    const seen: CallContext[] = [];
    const settings = { http: { extractHeaders, injectHeaders: true } };
    const app = await startServer(t, { 'GET /a': remembering(seen) }, { service: SERVICE, security, settings });
    await app.send('GET', '/a', { headers: { traceparent: TRACEPARENT } });
    const [context] = seen;
    t.equal(context?.get(ACTOR)?.id, 'gate', `headers trusted: ${extractHeaders}`);
    t.ok(context !== undefined && security.allows(context, 'funcs.call', 'app:f'));
    t.notOk(context !== undefined && security.allows(context, 'env.get', 'HOME'));
    t.equal(context?.get(TRACE)?.traceId === TRACEPARENT.slice(3, 35), extractHeaders);
  }
});

test('a request to a service without has none, and no port of security is asked for', async (t) => {
  const seen: CallContext[] = [];
  const app = await startServer(t, { 'GET /a': remembering(seen) });
  await app.send('GET', '/a');
  t.equal(seen.length, 1);
  t.equal(seen[0]?.get(ACTOR), undefined);
  t.equal(seen[0]?.get(SCOPE), undefined);
});
