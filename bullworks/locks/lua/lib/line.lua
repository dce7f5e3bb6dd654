-- The line of those who wait for a lock: `line` orders their tokens by when they came, `seen` says until when each is
-- taken for alive. Both in microseconds of Redis's clock.

-- Who is called up and does not come for the lock within this is passed over.
local CLAIM_US = 2000000
-- A bound for one script; the next clears what is left over.
local MOST_DEAD = 100

local function leave_line(line, seen, token)
  redis.call('ZREM', line, token)
  redis.call('ZREM', seen, token)
end

-- The first in line who is alive, or false; and whether it may be dead after all, since there were too many of those
-- to strike off at once. `me` is alive: it asks.
local function first_alive(line, seen, now, me)
  local head = redis.call('ZRANGE', line, 0, 0)[1]
  for _ = 1, MOST_DEAD do
    if not head or head == me or tonumber(redis.call('ZSCORE', seen, head) or 0) > now then
      return head or false, false
    end
    leave_line(line, seen, head)
    head = redis.call('ZRANGE', line, 0, 0)[1]
  end
  return head or false, true
end

-- The token to tell that the lock is free: the first in line, unless it was told already; '' for nobody.
local function call_up(line, seen, now, head)
  if head and tonumber(redis.call('ZSCORE', seen, head) or 0) > now + CLAIM_US then
    redis.call('ZADD', seen, string.format('%.0f', now + CLAIM_US), head)
    return head
  end
  return ''
end
