--[[ acquire_lock: take the lock if it is free and nobody alive is before us in line; else stand in line, if we wait.
  KEYS    1 lock   hash    the owner's token, its fence and who it is; has a TTL
          2 fence  string  the last fence given out; outlives the lock by a week
          3 line   zset    tokens that wait, by when they came, us
          4 seen   zset    the same tokens, by when they are taken for dead, us
  ARGV    1 token     string  of this acquisition; asking again with it is harmless
          2 ttl_ms    ms
          3 waits     int     1: stand in line
          4 came_us   us      when this token came, so that it keeps its place; 0 the first time
          5 host      string  who asks, shown to people only
          6 pid       string
          7 instance  string
  RETURNS list  1, fence                                ours, for ttl_ms from now
                0, came_us, recheck_ms, token to tell   not ours; ask again after recheck_ms; '' for nobody to tell
  EVENTS  none
]]
-- include: lib/now.lua
-- include: lib/line.lua
local lock, line, seen, token, ttl_ms = KEYS[1], KEYS[3], KEYS[4], ARGV[1], tonumber(ARGV[2])
-- A clock that stepped back further than this, with the counter lost too, is the only way to a fence that falls.
local KEEP_FENCE_MS = 7 * 24 * 60 * 60 * 1000

local owner = redis.call('HGET', lock, 'token')
if owner == token then
  redis.call('PEXPIRE', lock, ttl_ms)
  return {1, tonumber(redis.call('HGET', lock, 'fence'))}
end

local now = now_us()
local head, is_unsure = first_alive(line, seen, now, token)
if not owner and (not head or head == token) then
  -- Not below the clock: should Redis forget the counter, or fail over to a replica that lags, it still grows.
  local fence = math.max(tonumber(redis.call('GET', KEYS[2]) or 0) + 1, now)
  local written = string.format('%.0f', fence)
  redis.call('SET', KEYS[2], written, 'PX', ttl_ms + KEEP_FENCE_MS)
  redis.call('HSET', lock, 'token', token, 'fence', written, 'host', ARGV[5], 'pid', ARGV[6], 'instance', ARGV[7],
    'acquired_at_ms', string.format('%.0f', math.floor(now / 1000)))
  redis.call('PEXPIRE', lock, ttl_ms)
  leave_line(line, seen, token)
  return {1, fence}
end

local came, recheck_ms = tonumber(ARGV[4]), 0
if ARGV[3] == '1' then
  came = came > 0 and came or now
  redis.call('ZADD', line, string.format('%.0f', came), token)
  local place = redis.call('ZRANK', line, token)
  -- Asking is what shows that we live. Those far behind ask seldom, so that a long line costs Redis little.
  recheck_ms = math.min(1000 + 100 * place, 10000)
  local alive_us = (2 * recheck_ms + 1000) * 1000
  redis.call('ZADD', seen, string.format('%.0f', now + alive_us), token)
  -- A line in which nobody asks any more is gone by itself.
  redis.call('PEXPIRE', line, 60000)
  redis.call('PEXPIRE', seen, 60000)
  if place == 0 then
    -- Nobody tells us that a dead owner's lock has run out.
    local left_ms = redis.call('PTTL', lock)
    recheck_ms = math.min(recheck_ms, math.max(left_ms, 0) + 1)
  end
  if is_unsure then
    recheck_ms = 1
  end
end
local told = ''
if not owner then
  told = call_up(line, seen, now, head)
end
return {0, came, recheck_ms, told}
