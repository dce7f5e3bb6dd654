--[[ read_limit: what a key of a limit has used by now.
  KEYS    1 usage  hash  as in reserve_limit
  ARGV    1...     two per window, as in reserve_limit: most, per_ms
  RETURNS list  ms for which it is paused, then per window what was used
  EVENTS  none
]]
-- include: lib/now.lua
-- include: lib/windows.lua
local key, now = KEYS[1], now_us()
local paused = tonumber(redis.call('HGET', key, 'paused')) or 0
local answer = {math.max(math.ceil((paused - now) / 1000), 0)}
for _, window in ipairs((read_windows(key, now, 1))) do answer[#answer + 1] = window.used end
return answer
