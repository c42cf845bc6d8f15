import { test } from 'tap';
import { guard } from '../../interceptors/guard.ts';
import type { CallSite, Next } from '../../runtime/call.ts';
import { rootContext } from '../../runtime/context.ts';

const site: CallSite<string, string> = { surface: 'http.server', operation: 'GET', target: 'app:hello', guarded: true };
const call = { input: 'x', context: rootContext };

test('a guarded site is closed while the program drains, and open otherwise', async (t) => {
  const state = { isDraining: false };
  let calls = 0;
  const wrapped = guard(state).wrap<string, string>(({ input }) => {
    calls += 1;
    return `${input}!`;
  }, site);
  t.equal(wrapped(call), 'x!', 'synchronous when the core is');
  state.isDraining = true;
  t.throws(() => wrapped(call), { kind: 'Unavailable', retryable: true, message: 'draining' });
  t.equal(calls, 1, 'the core is not called');
  state.isDraining = false;
  t.equal(wrapped(call), 'x!');
});

test('a site that is not guarded keeps its own function', async (t) => {
  const next: Next<string, string> = () => 'x';
  const state = { isDraining: true };
  t.equal(guard(state).wrap(next, { ...site, guarded: false }), next);
  t.equal(guard(state).wrap(next, { ...site, guarded: undefined }), next);
  t.not(guard(state).wrap(next, site), next, 'a guarded one does not');
});

test('its place is 10 unless configured', async (t) => {
  t.equal(guard({ isDraining: false }).order, 10);
  t.equal(guard({ isDraining: false }, 15).order, 15);
});
