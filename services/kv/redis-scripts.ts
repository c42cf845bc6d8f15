import { redisScript } from '../../runtime/redis/script.ts';

/**
 * Writes one key: KEYS[1]; ARGV: value, ttl in ms or '', condition ('', 'absent' or 'version'), the version wanted.
 * A version is the microsecond of its write, at least one above the one before: a key that is deleted and written again
 * never has a version that it had.
 */
export const WRITE = redisScript(`
local current = redis.call('HGET', KEYS[1], 'version')
if ARGV[3] == 'absent' and current then return {'exists'} end
if ARGV[3] == 'version' then
  if not current then return {'not_found'} end
  if current ~= ARGV[4] then return {'conflict'} end
end
local now = redis.call('TIME')
local version = now[1] * 1000000 + now[2]
local last = tonumber(current)
if last and version <= last then version = last + 1 end
version = string.format('%.0f', version)
redis.call('HSET', KEYS[1], 'value', ARGV[1], 'version', version)
if ARGV[2] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {'ok', version}
`);
