-- The list of a cron's missed ticks, and runs of which nobody hears any more. A member of the list is
-- tick|instance|reason with the tick as its score, one of `open` is tick|token|instance with the end of its lease.
local MOST_LISTED = 100
local MOST_CLOSED = 100
local LISTED_MS = 90 * 24 * 60 * 60 * 1000

local function list_miss(misses, tick, instance, reason)
  redis.call('ZADD', misses, tick, tick .. '|' .. instance .. '|' .. reason)
  redis.call('ZREMRANGEBYRANK', misses, 0, -(MOST_LISTED + 1))
  redis.call('PEXPIRE', misses, LISTED_MS)
end

local function close_dead(open, misses, now)
  local dead = redis.call('ZRANGEBYSCORE', open, '-inf', now, 'LIMIT', 0, MOST_CLOSED)
  for _, member in ipairs(dead) do
    local tick, instance = string.match(member, '^(%d+)|[^|]*|(.*)$')
    list_miss(misses, tick, instance, 'claimed, and its process died before it ended')
    redis.call('ZREM', open, member)
  end
end
