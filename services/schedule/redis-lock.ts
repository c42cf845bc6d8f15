import { internal } from '../../runtime/errors.ts';
import type { RedisLink } from '../../runtime/redis/link.ts';
import { redisScript } from '../../runtime/redis/script.ts';
import { AHEAD_MS, CLAIMS, type Claim, LATE_MS, LEASE_MS, type TickLock } from './lock.ts';

const NOW = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`;
/** The record: tick, holder, held_until (ms), queued. A text, so that no walk over the hashes of a store meets it. */
const RECORD = `
local raw = redis.call('GET', KEYS[1])
local r = raw and cjson.decode(raw) or {}
local function keep() redis.call('SET', KEYS[1], cjson.encode(r)) end`;

/** KEYS: record; ARGV: tick, holder, overlap. */
const CLAIM = redisScript(`${NOW}${RECORD}
local tick = tonumber(ARGV[1])
if tick > now + ${AHEAD_MS} then return {'early', now} end
if not r.tick and tick < now - ${LATE_MS} then
  r.tick = tick
  keep()
  return {'unknown', now}
end
local isMine = r.tick == tick and r.holder == ARGV[2]
if r.tick and tick <= r.tick and r.tick <= now + ${AHEAD_MS} and not isMine then return {'taken', now} end
r.tick = tick
local isHeld = r.held_until and r.held_until > now and r.held_until <= now + ${LEASE_MS}
local claim = 'busy'
if ARGV[3] == 'allow' or not isHeld or isMine then
  claim, r.holder, r.held_until = 'run', ARGV[2], now + ${LEASE_MS}
elseif ARGV[3] == 'queue' and not r.queued then
  claim, r.queued = 'queued', true
end
keep()
return {claim, now}`);

/** KEYS: record; ARGV: holder. What has been released stays so. */
const RENEW = redisScript(`${NOW}${RECORD}
if r.holder ~= ARGV[1] or r.held_until == 0 then return 0 end
r.held_until = now + ${LEASE_MS}
keep()
return 1`);

/** KEYS: record; ARGV: holder, 1 where it may go on with what is queued. */
const RELEASE = redisScript(`${NOW}${RECORD}
if r.holder ~= ARGV[1] then return 0 end
local again = ARGV[2] == '1' and r.queued
if again then
  r.queued, r.held_until = nil, now + ${LEASE_MS}
else
  r.held_until = 0
end
keep()
return again and 1 or 0`);

/** The record of one schedule is one key, so that a cluster has all of it in one slot. */
export const redisTickLock = (link: RedisLink, key: string): TickLock => ({
  async prepare() {
    const [seconds, micros] = await link.run((redis) => redis.time());
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  },
  async claim(tick, holder, overlap) {
    const [claim, now] = (await link.script(CLAIM, [key], [tick, holder, overlap])) as [Claim, number];
    if (!CLAIMS.includes(claim)) throw internal(`redis: ${key} has answered ${String(claim)}`);
    return { claim, now };
  },
  renew: async (holder) => (await link.script(RENEW, [key], [holder])) === 1,
  release: async (holder, mayGoOn) => (await link.script(RELEASE, [key], [holder, mayGoOn ? 1 : 0])) === 1,
});
