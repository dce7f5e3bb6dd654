--[[ list_misses: list ticks as missed, those of a distributed cron only if nobody else has them; nobody gets them then.
  KEYS    1 state   hash    here the latest tick accounted for
          2 open    zset    runs that go on
          3 misses  zset    ticks that did not run
          4...  claim  string  of each tick in order; none where the cron is not distributed
  ARGV    1 token     string  of the process
          2 instance  string
          3 reason    string
          4 kept_ms   ms      how long a claim is remembered
          5 within_ms ms      a tick is over so long after it is due by this clock; before, somebody may still claim it
          6...  tick  ms, 1 .. 100 of them
  RETURNS list  the ticks that are listed now and were not before; the ticks that are not over yet
  EVENTS  none
]]
-- include: lib/now.lua
-- include: lib/misses.lua
local state, open, misses = KEYS[1], KEYS[2], KEYS[3]
local token, instance, reason = ARGV[1], ARGV[2], ARGV[3]
local now = now_ms()
local listed, early = {}, {}
for index = 6, #ARGV do
  local tick, claim = ARGV[index], KEYS[index - 2]
  local owner = claim and redis.call('GET', claim)
  if claim and now <= tick + ARGV[5] then
    if not owner or string.sub(owner, 1, #token + 1) == token .. '|' then early[#early + 1] = tick end
  -- Our own claim, the answer to which came too late: it did not run.
  elseif not owner or string.sub(owner, 1, #token + 1) == token .. '|' then
    if claim then
      redis.call('SET', claim, 'missed', 'PX', ARGV[4])
      redis.call('ZREM', open, tick .. '|' .. token .. '|' .. instance)
      local seen = redis.call('HGET', state, 'seen')
      if seen and tonumber(seen) < tonumber(tick) then redis.call('HSET', state, 'seen', tick) end
    end
    list_miss(misses, tick, instance, reason)
    listed[#listed + 1] = tick
  end
end
return {listed, early}
