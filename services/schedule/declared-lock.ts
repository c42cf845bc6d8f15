import type { Env } from '../../runtime/env.ts';
import { invalid } from '../../runtime/errors.ts';
import { STORES } from '../kv/port.ts';
import { DATABASES } from '../sql/port.ts';
import type { TickLock } from './lock.ts';
import { redisTickLock } from './redis-lock.ts';
import { sqlTickLock } from './sql-lock.ts';

/** The `lock` of a schedule, on the store or the database that it names; found at the start, when every surface has been built. */
export const declaredLock = (env: Env, id: string, lock: string): TickLock => {
  let found: TickLock | undefined;
  const find = (): TickLock => {
    const place = env.find(STORES)?.redis(lock);
    if (place !== undefined) return redisTickLock(place.link, `${place.prefix}perilune.schedule:${id}`);
    const database = env.find(DATABASES)?.get(lock);
    if (database?.type === 'postgres') return sqlTickLock(database, id);
    throw invalid(`${id}: lock: ${lock} is no store.redis or db.sql.postgres of this program`);
  };
  const there = (): TickLock => {
    found ??= find();
    return found;
  };
  return {
    prepare: (signal) => there().prepare(signal),
    claim: (tick, holder, overlap, signal) => there().claim(tick, holder, overlap, signal),
    renew: (holder, signal) => there().renew(holder, signal),
    release: (holder, mayGoOn, signal) => there().release(holder, mayGoOn, signal),
  };
};
