--[[ reserve_limit: count a cost in every window of a limit where all have room for it; else nothing, and say when they may.
  KEYS    1 usage  hash  what the key has used, see lib/windows.lua; `paused` us, until when nothing is granted; `turn`,
                         `turn_until`, `turn_cost`: who waits for room and comes next; `spread` us, the time told last
  ARGV    1 cost         1 ..
          2 token        string  of who asks, the same each time it asks
          3 patience_ms  ms  how long it waits; it asks again within a second, for its turn is held for two only
          4...           two per window:
                         most    1 ..
                         per_ms  ms
  RETURNS list  1, now us                     granted
                0, ms until it may be, now us  refused
  EVENTS  none
]]
-- include: lib/now.lua
-- include: lib/windows.lua
-- Who waits and does not come again within this is passed over.
local HOLD_TURN_US = 2000000
-- Those who go away come back within this, or within a window where that is longer, after the first who may.
local SPREAD_US = 10000000

local key, cost, token, patience = KEYS[1], tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]) * 1000
local now = now_us()
local stored = redis.call('HMGET', key, 'paused', 'turn', 'turn_until', 'turn_cost', 'spread')
local paused = tonumber(stored[1]) or 0
local windows, longest = read_windows(key, now, 4)

-- us until there is room for the cost and so much besides; us in which the windows that have none can serve one such
-- cost; and over how long those who are refused come back.
local function room_in(besides)
  local wait, spacing, spread = math.max(paused - now, 0), 0, SPREAD_US
  for _, window in ipairs(windows) do
    local excess = window.used + besides + cost - window.most
    if excess > 0 then
      local length = window.width * BUCKETS
      wait = math.max(wait, leaves_in(key, window, now, excess))
      spacing, spread = math.max(spacing, cost * length / window.most), math.max(spread, length)
    end
  end
  return wait, spacing, spread
end

local is_next = stored[2] == token
local turn_left = stored[2] and tonumber(stored[3]) - now or 0
-- A turn that lasts for longer than any is of a clock that was set back since.
local is_behind = not is_next and turn_left > 0 and turn_left <= HOLD_TURN_US
-- What there is room for beside the one whose turn it is may be had at once; so a large cost is not starved by small ones.
local wait, spacing, spread = room_in(is_behind and tonumber(stored[4]) or 0)
if wait == 0 then
  for _, window in ipairs(windows) do count(key, window, window.current, cost) end
  if is_next then redis.call('HDEL', key, 'turn', 'turn_until', 'turn_cost') end
  keep(key, now, longest, tonumber(stored[5]) or 0)
  return {1, now}
end
-- The one before may wait for longer than this one would, and may be gone by then.
if is_behind and patience < wait then wait = math.max((room_in(0)), math.min(wait, HOLD_TURN_US)) end
if patience < wait then
  if is_next then redis.call('HDEL', key, 'turn', 'turn_until', 'turn_cost') end
  -- They come back one after the other, as fast as the limit can serve them, and not all at once.
  local first = now + wait
  local at = math.max(first, tonumber(stored[5]) or 0)
  if at > first + spread then at = first end
  redis.call('HSET', key, 'spread', whole(at + spacing))
  wait = at - now
elseif not is_behind then
  redis.call('HSET', key, 'turn', token, 'turn_until', whole(now + HOLD_TURN_US), 'turn_cost', ARGV[1])
end
keep(key, now, longest, math.max(paused, now + wait + spacing))
return {0, math.ceil(wait / 1000), now}
