import { redisScript } from '../../../runtime/redis/script.ts';

/** Milliseconds of the server's clock: the clocks of the machines that share a queue may differ. */
const NOW = `
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end`;

/** Messages that wait: those of the stream without what is being delivered, and the delayed ones. */
const WAITING = `
local function waiting(stream, delayed, group)
  local n = redis.call('XLEN', stream) + redis.call('ZCARD', delayed)
  local pending = redis.pcall('XPENDING', stream, group)
  if pending[1] then n = n - pending[1] end
  return n
end`;

/** Into the stream, or among the delayed where \`delay\` is above 0. */
const STORE = `
local function store(stream, delayed, delay, fields)
  if delay > 0 then
    redis.call('ZADD', delayed, now_ms() + delay, cjson.encode(fields))
  else
    redis.call('XADD', stream, '*', unpack(fields))
  end
end`;

/** Off the stream, where this consumer still holds it: another one may have taken it over. */
const RELEASE = `
local function release(stream, group, consumer, id)
  local held = redis.call('XPENDING', stream, group, id, id, 1)
  if not held[1] or held[1][2] ~= consumer then return false end
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
  return true
end`;

const FROM = (first: number): string => `
local fields = {}
for i = ${first}, #ARGV do fields[#fields + 1] = ARGV[i] end`;

/** KEYS: stream, delayed[, idempotency key]; ARGV: group, delay, max_length (0 none), window, fields. */
export const PUBLISH = redisScript(`${NOW}${WAITING}${STORE}${FROM(5)}
if KEYS[3] and redis.call('EXISTS', KEYS[3]) == 1 then return 'duplicate' end
local max = tonumber(ARGV[3])
if max > 0 and waiting(KEYS[1], KEYS[2], ARGV[1]) >= max then return 'full' end
if KEYS[3] then redis.call('SET', KEYS[3], 1, 'PX', ARGV[4]) end
store(KEYS[1], KEYS[2], tonumber(ARGV[2]), fields)
return 'ok'`);

/** KEYS: stream; ARGV: group, entry ids. */
export const ACK = redisScript(`
local ids = {}
for i = 2, #ARGV do ids[#ids + 1] = ARGV[i] end
redis.call('XACK', KEYS[1], ARGV[1], unpack(ids))
return redis.call('XDEL', KEYS[1], unpack(ids))`);

/** Back to the tail, or among the delayed. KEYS: stream, delayed; ARGV: group, consumer, entry id, delay, fields. */
export const RETURN = redisScript(`${NOW}${STORE}${RELEASE}${FROM(5)}
if not release(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) then return 'lost' end
store(KEYS[1], KEYS[2], tonumber(ARGV[4]), fields)
return 'ok'`);

/** To another queue. KEYS: stream, target stream, target delayed; ARGV: group, consumer, entry id, target's group, target's max_length, fields. */
export const MOVE = redisScript(`${WAITING}${RELEASE}${FROM(6)}
local max = tonumber(ARGV[5])
if max > 0 and waiting(KEYS[2], KEYS[3], ARGV[4]) >= max then return 'full' end
if not release(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) then return 'lost' end
redis.call('XADD', KEYS[2], '*', unpack(fields))
return 'ok'`);

/** Off the queue. KEYS: stream; ARGV: group, consumer, entry id. 0: another consumer has it. */
export const TAKE_OFF = redisScript(`${RELEASE}
return release(KEYS[1], ARGV[1], ARGV[2], ARGV[3]) and 1 or 0`);

/** Whether it is still this consumer's. KEYS: stream; ARGV: group, consumer, entry id. */
export const HOLDS = redisScript(`
local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
return held[1] and held[1][2] == ARGV[2] and 1 or 0`);

/** What nobody renews is taken over. KEYS: stream; ARGV: group, consumer, visibility in ms, cursor, count. */
export const RECLAIM = redisScript(`
local found = redis.pcall('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
if found.err then return found end -- as it is, with its code: Redis 6 would say where in this script it was
local entries = {}
for _, entry in ipairs(found[2]) do
  if entry and entry[2] then
    local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
    entries[#entries + 1] = {entry[1], entry[2], pending[1][4]}
  end
end
return {found[1], entries}`);

/** Still being worked on. KEYS: stream; ARGV: group, consumer, entry ids. JUSTID: a renewal is no delivery. */
export const RENEW = redisScript(`
for i = 3, #ARGV do
  local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
  if held[1] and held[1][2] == ARGV[2] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  end
end
return 'ok'`);

/** Consumers without deliveries that have not been heard of. KEYS: stream; ARGV: group, idle in ms, a name or ''. */
export const FORGET = redisScript(`
for _, raw in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local one = {}
  for i = 1, #raw, 2 do one[raw[i]] = raw[i + 1] end
  if one.pending == 0 and (one.name == ARGV[3] or one.idle > tonumber(ARGV[2])) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], one.name)
  end
end
return 'ok'`);

/**
 * Moves what is due into the stream and tells how the queue stands: waiting in the stream, delayed, publish time of the
 * oldest that is seen (the first of the stream, the first due) or -1, ms until the next is due or -1, the server's now.
 * KEYS: stream, delayed; ARGV: group, most to move.
 */
export const TICK = redisScript(`${NOW}
local now = now_ms()
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[2])) do
  redis.call('ZREM', KEYS[2], member)
  redis.call('XADD', KEYS[1], '*', unpack(cjson.decode(member)))
end
local last, pending = '0-0', 0
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if not groups.err then
  for _, raw in ipairs(groups) do
    local one = {}
    for i = 1, #raw, 2 do one[raw[i]] = raw[i + 1] end
    if one.name == ARGV[1] then last, pending = one['last-delivered-id'], one.pending end
  end
end
local oldest = -1
local function see(fields, fallback)
  local at = fallback
  for i = 1, #fields, 2 do
    if fields[i] == 'published_at' then at = tonumber(fields[i + 1]) or fallback end
  end
  if at and (oldest < 0 or at < oldest) then oldest = at end
end
local first = redis.call('XRANGE', KEYS[1], '(' .. last, '+', 'COUNT', 1)[1]
if first then see(first[2], tonumber(string.match(first[1], '^%d+'))) end
local soon = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local due = -1
if soon[1] then
  see(cjson.decode(soon[1]))
  due = math.max(0, tonumber(soon[2]) - now)
end
return {redis.call('XLEN', KEYS[1]) - pending, redis.call('ZCARD', KEYS[2]), math.floor(oldest), due, now}`);

/** Whether an entry is there and nobody is given it. KEYS: stream; ARGV: group, entry id. */
export const WAITS = redisScript(`
local held = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)
return not held[1] and #redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2]) == 1 and 1 or 0`);

/**
 * Puts a dead letter back into the queue that it came from, unless it is being delivered or gone. Both may be one queue.
 * KEYS: stream, target stream; ARGV: group, entry id, fields.
 */
export const REPLAY = redisScript(`${FROM(3)}
local held = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)
if held[1] or redis.call('XDEL', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(fields))
return 1`);
