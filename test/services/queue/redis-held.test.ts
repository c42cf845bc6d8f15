import { test } from 'tap';
import type { RedisLink } from '../../../runtime/redis/link.ts';
import { Backlog } from '../../../services/queue/redis/backlog.ts';
import { heldEntries } from '../../../services/queue/redis/held.ts';
import { queueKeys } from '../../../services/queue/redis/keys.ts';
import { RENEW } from '../../../services/queue/redis/scripts.ts';
import { fakeClock } from '../fake-clock.ts';

const VISIBILITY_MS = 3000;

/** What a consumer holds, and the ids of each renewal that it asks for. */
const held = () => {
  const clock = fakeClock();
  const renewals: string[][] = [];
  let failure: Error | undefined;
  const link = {
    isReady: true,
    async script(script, _keys, [, , ...ids]) {
      if (failure !== undefined) throw failure;
      if (script === RENEW) renewals.push(ids.map(String));
      return 'ok';
    },
  } satisfies Pick<RedisLink, 'isReady' | 'script'> as unknown as RedisLink;
  const keys = queueKeys('p:', 'q');
  const place = { clock, link, keys, group: 'g', visibilityMs: VISIBILITY_MS, maxLength: 0, backlog: new Backlog() };
  const entries = heldEntries(place, 'c', { placeOf: () => undefined, onDelayed: () => {} });
  return {
    clock,
    entries,
    renewals,
    fail(error: Error | undefined) {
      failure = error;
    },
  };
};

test('before others are taken over from, only what may be old is renewed', async (t) => {
  const { clock, entries, renewals } = held();
  entries.add('a', clock.now());
  await entries.renewOld();
  t.same(renewals, [], 'it was taken just now');
  entries.add('b', clock.now() - VISIBILITY_MS);
  await entries.renewOld();
  t.same(renewals, [['a', 'b']], 'its answer was read late: Redis has counted since it was asked');
  await entries.renewOld();
  t.equal(renewals.length, 1);
  entries.stop();
});

test('a renewal that fails leaves old what is old', async (t) => {
  const { clock, entries, renewals, fail } = held();
  entries.add('a', clock.now() - VISIBILITY_MS);
  fail(new Error('away'));
  await t.rejects(entries.renewOld(), /away/);
  fail(undefined);
  await entries.renewOld();
  t.same(renewals, [['a']]);
  entries.stop();
});
