import { randomUUID } from 'node:crypto';
import { t as root, type Test, test } from 'tap';
import { systemClock } from '../../../runtime/clock.ts';
import { redisLink } from '../../../runtime/redis/link.ts';
import { type Claim, LATE_MS, LEASE_MS, type TickLock } from '../../../services/schedule/lock.ts';
import { redisTickLock } from '../../../services/schedule/redis-lock.ts';
import { sqlTickLock } from '../../../services/schedule/sql-lock.ts';
import { DATABASES, type Database } from '../../../services/sql/port.ts';
import { POSTGRES_MISSING, startPostgres } from '../../harness/postgres.ts';
import { startRedis } from '../../harness/redis.ts';
import { surfaceBench } from '../surface-bench.ts';

const { signal } = new AbortController();
const HOUR = 3_600_000;

interface Place {
  /** The locks of one schedule, each on a connection of its own: one for each machine. */
  readonly machines: readonly TickLock[];
  /** The record as if it had been written by a clock that was ahead by so much. */
  ahead(ms: number): Promise<void>;
  /** The server has forgotten it. */
  lose(): Promise<void>;
}

const redis = await startRedis(root);
const redisPlace = async (t: Test): Promise<Place> => {
  const key = `${redis.prefix}perilune.schedule:${randomUUID()}`;
  const machines: TickLock[] = [];
  for (let i = 0; i < 3; i += 1) {
    const link = redisLink({ clock: systemClock(), name: 'lock', url: () => redis.url, connectTimeoutMs: 30_000 });
    await link.start();
    t.teardown(() => link.stop());
    machines.push(redisTickLock(link, key));
  }
  return {
    machines,
    async ahead(ms) {
      const record = JSON.parse((await redis.client.get(key)) ?? '{}') as { tick: number; held_until: number };
      record.tick += ms;
      record.held_until += ms;
      await redis.client.set(key, JSON.stringify(record));
    },
    lose: async () => void (await redis.client.del(key)),
  };
};

const server = await startPostgres(root);
const sqlPlace = async (t: Test): Promise<Place> => {
  if (server === undefined) throw new Error(POSTGRES_MISSING);
  const { host, port, database, username, password, run } = await server.createDatabase('lock');
  const address = { host, port, database, username, password };
  const databases: Database[] = [];
  for (let i = 0; i < 3; i += 1) {
    const bench = await surfaceBench(t, [{ id: 'app:db', kind: 'db.sql.postgres', ...address }]);
    databases.push(bench.env.use(DATABASES).get('app:db') as Database);
  }
  return {
    machines: databases.map((one) => sqlTickLock(one, 'app:tick')),
    ahead: async (ms) =>
      void (await run(`UPDATE perilune_schedule_locks SET tick = tick + ${ms}, held_until = held_until + ${ms}`)),
    lose: async () => void (await run('DELETE FROM perilune_schedule_locks')),
  };
};

for (const [name, placeOf, skip] of [
  ['store.redis', redisPlace, false],
  ['db.sql.postgres', sqlPlace, server === undefined && POSTGRES_MISSING],
] as const) {
  const started = async (t: Test) => {
    const place = await placeOf(t);
    const [a, b, c] = place.machines as [TickLock, TickLock, TickLock];
    // All at once, as machines do that are deployed together.
    const times = await Promise.all(place.machines.map((lock) => lock.prepare(signal)));
    return { ...place, a, b, c, now: Math.max(...times) };
  };
  const claimOf = async (lock: TickLock, tick: number, holder: string, overlap: 'skip' | 'allow' | 'queue' = 'skip') =>
    (await lock.claim(tick, holder, overlap, signal)).claim;

  test(`${name}: the time is the server's`, { skip }, async (t) => {
    const { a, now } = await started(t);
    t.ok(Math.abs(now - Date.now()) < 16_000, `${now}: milliseconds since the epoch`);
    const { now: later } = await a.claim(now, 'a', 'skip', signal);
    t.ok(later >= now && Number.isInteger(later));
  });

  test(`${name}: each tick is given to one machine, however many ask at once`, { skip }, async (t) => {
    const { machines, now } = await started(t);
    for (const overlap of ['allow', 'skip', 'queue'] as const) {
      const base = now + { allow: 0, skip: 100, queue: 200 }[overlap];
      for (let tick = base; tick < base + 20; tick += 1) {
        const asked = machines.flatMap((lock, i) => [0, 1].map((j) => ({ lock, holder: `${i}${j}:${tick}` })));
        const claims = await Promise.all(asked.map(({ lock, holder }) => claimOf(lock, tick, holder, overlap)));
        const winner = claims.indexOf('run');
        t.same(claims.toSorted(), ['run', ...Array(5).fill('taken')], `${overlap} ${tick}`);
        const won = asked[winner];
        await won?.lock.release(won.holder, false, signal);
      }
    }
  });

  test(`${name}: a tick older than the last is taken, and asking again gives the same`, { skip }, async (t) => {
    const { a, b, now } = await started(t);
    t.equal(await claimOf(a, now, 'a', 'allow'), 'run');
    t.equal(await claimOf(a, now, 'a', 'allow'), 'run', 'an answer that got lost');
    t.equal(await claimOf(b, now, 'b', 'allow'), 'taken');
    t.equal(await claimOf(b, now - 5000, 'b', 'allow'), 'taken', 'a clock that is behind, a machine that slept');
    t.equal(await claimOf(b, now + 1, 'b', 'allow'), 'run');
  });

  test(`${name}: a run that goes on elsewhere counts for overlap`, { skip }, async (t) => {
    const { a, b, c, now } = await started(t);
    t.equal(await claimOf(a, now, 'a'), 'run');
    t.equal(await claimOf(b, now + 1, 'b'), 'busy');
    t.equal(await claimOf(c, now + 1, 'c'), 'taken', 'one machine alone counts that it was skipped');
    t.equal(await a.renew('a', signal), true);
    t.equal(await a.release('a', true, signal), false);
    t.equal(await a.renew('a', signal), false, 'a renewal that comes late holds nothing');
    t.equal(await claimOf(b, now + 2, 'b2'), 'run');
    t.equal(await a.release('a', true, signal), false, 'a release that comes late releases nothing');
    t.equal(await claimOf(c, now + 3, 'c3'), 'busy');
    t.equal(await claimOf(c, now + 4, 'c4', 'allow'), 'run');
  });

  test(`${name}: with queue one waits, and whoever runs does it next`, { skip }, async (t) => {
    const { a, b, c, now } = await started(t);
    const claims: Claim[] = [];
    for (const [i, lock] of [a, b, c, a].entries()) claims.push(await claimOf(lock, now + i, `${i}`, 'queue'));
    t.same(claims, ['run', 'queued', 'busy', 'busy']);
    t.equal(await a.release('0', true, signal), true, 'the one that waits');
    t.equal(await claimOf(b, now + 5, '5', 'queue'), 'queued', 'and it is held meanwhile');
    t.equal(await a.release('0', false, signal), false, 'a machine that stops leaves it to the next');
    t.equal(await claimOf(b, now + 6, '6', 'queue'), 'run');
    t.equal(await b.release('6', true, signal), true);
    t.equal(await b.release('6', true, signal), false);
  });

  test(`${name}: a holder that is silent loses it after the lease`, { skip }, async (t) => {
    const { a, b, now, ahead } = await started(t);
    t.equal(await claimOf(a, now, 'a'), 'run');
    await ahead(-LEASE_MS / 2);
    t.equal(await claimOf(b, now + 1, 'b'), 'busy', 'not before');
    await ahead(-LEASE_MS);
    t.equal(await claimOf(b, now + 2, 'b2'), 'run');
    t.equal(await a.renew('a', signal), false);
    t.equal(await a.release('a', true, signal), false);
    t.equal(await claimOf(a, now + 3, 'a3'), 'busy');
  });

  test(`${name}: clocks that are far off`, { skip }, async (t) => {
    const { a, b, now, ahead } = await started(t);
    t.equal(await claimOf(a, now + HOUR, 'a'), 'early', 'a machine far ahead of the server');
    t.equal(await claimOf(b, now, 'b'), 'run', 'takes nothing from the others');
    await ahead(HOUR);
    t.equal(await claimOf(a, now + 10, 'a'), 'run', 'a server whose clock was set back does not wait for the old time');
    t.equal(await claimOf(b, now + 10, 'b'), 'taken');
  });

  if (placeOf === redisPlace) {
    test(`${name}: a late tick that is on no record is not given away`, { skip }, async (t) => {
      const { a, b, now, lose } = await started(t);
      t.equal(await claimOf(a, now - 2 * LATE_MS, 'a', 'allow'), 'unknown');
      t.equal(await claimOf(b, now - 2 * LATE_MS, 'b', 'allow'), 'taken', 'one machine tells');
      t.equal(await claimOf(a, now, 'a', 'allow'), 'run');
      await lose();
      t.equal(await claimOf(b, now - 2 * LATE_MS, 'b', 'allow'), 'unknown');
    });
  }
}
