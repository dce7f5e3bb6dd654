--[[ pause_limit: grant nothing for a key for some time; a longer pause that is there stays. Or lift the pause.
  KEYS    1 usage  hash  as in reserve_limit
  ARGV    1 ms     ms    0 lifts the pause
  RETURNS list  us when the pause ends, 0 where it was lifted; now us
  EVENTS  none
]]
-- include: lib/now.lua
local key, duration, now = KEYS[1], tonumber(ARGV[1]), now_us()
if duration == 0 then
  redis.call('HDEL', key, 'paused')
  return {0, now}
end
local ends = math.max(tonumber(redis.call('HGET', key, 'paused')) or 0, now + duration * 1000)
redis.call('HSET', key, 'paused', string.format('%.0f', ends))
redis.call('PEXPIRE', key, string.format('%.0f', math.max(redis.call('PTTL', key), math.ceil((ends - now) / 1000) + 1000)))
return {ends, now}
