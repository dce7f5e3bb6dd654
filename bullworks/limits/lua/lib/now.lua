-- The one place where a script reads the time: Redis's own clock, in whole microseconds, exact in a double until 2255.
local function now_us()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
