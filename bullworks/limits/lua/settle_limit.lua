--[[ settle_limit: put what was spent in the place of what was reserved. Not to be repeated.
  KEYS    1 usage  hash  as in reserve_limit
  ARGV    1 granted_us  us  when it was reserved, by Redis's clock
          2 reserved    0 ..
          3 spent       0 ..  less: the rest is free at once, where it still counts; more: it counts from now on
          4...          as in reserve_limit
  RETURNS int  0
  EVENTS  none
]]
-- include: lib/now.lua
-- include: lib/windows.lua
local key, granted, difference = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[3]) - tonumber(ARGV[2])
local now = now_us()
local windows, longest = read_windows(key, now, 4)
for _, window in ipairs(windows) do
  local bucket = difference > 0 and window.current or math.floor(granted / window.width)
  local age = window.current - bucket
  if age >= 0 and age <= BUCKETS then count(key, window, bucket, difference) end
end
if difference > 0 then
  local stored = redis.call('HMGET', key, 'paused', 'spread')
  keep(key, now, longest, math.max(tonumber(stored[1]) or 0, tonumber(stored[2]) or 0))
end
return 0
