--[[ claim_tick: give a tick, once it is due by this clock, to the first process that asks for it before it is over; to
     no other ever, nor once it is listed as missed.
  KEYS    1 claim   string  of this tick: who has it, or `ran`, or `missed`; has a TTL
          2 open    zset    runs that go on, by the end of their leases
          3 misses  zset    ticks that did not run
          4 state   hash    what is known of the cron: here its pattern, and the latest tick accounted for
  ARGV    1 tick      ms
          2 token     string  of the process; asking again with it is harmless, and renews the lease of its run
          3 instance  string  which process that is, for people
          4 kept_ms   ms      how long the claim is remembered
          5 lease_ms  ms      with nothing heard of the run for so long, its process counts as dead
          6 pattern   string  expression and zone: a gap is one between ticks of the same
          7 state_ms  ms      how long the state is remembered
          8 within_ms ms      a tick is over so long after it is due
  RETURNS list  1, this clock, the latest tick accounted for before, or ''   it is the asker's
                0, this clock, who has it, or `ran`, or `missed`             it is not
                2, this clock, ''                                            it is not due yet
                3, this clock, ''                                            it is over, and nobody has it
  EVENTS  none
]]
-- include: lib/now.lua
-- include: lib/misses.lua
local claim, open, misses, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local tick, token, instance, kept_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now = now_ms()
local run = tick .. '|' .. token .. '|' .. instance

local before
local owner = redis.call('GET', claim)
if owner then
  local its_token, its_before, its_instance = string.match(owner, '^([^|]*)|([^|]*)|(.*)$')
  if its_token ~= token then
    close_dead(open, misses, now)
    return {0, now, its_instance or owner}
  end
  -- The answer to the first time was lost, or the run goes on.
  before = its_before
elseif now < tonumber(tick) then
  return {2, now, ''}
elseif now > tick + ARGV[8] then
  close_dead(open, misses, now)
  return {3, now, ''}
else
  local known = redis.call('HMGET', state, 'pattern', 'seen')
  before = known[1] == ARGV[6] and known[2] or ''
  redis.call('SET', claim, token .. '|' .. before .. '|' .. instance, 'PX', kept_ms)
  if before == '' or tonumber(before) < tonumber(tick) then
    redis.call('HSET', state, 'pattern', ARGV[6], 'seen', tick)
    redis.call('PEXPIRE', state, ARGV[7])
  end
end
redis.call('ZADD', open, now + ARGV[5], run)
redis.call('PEXPIRE', open, kept_ms)
-- Listed when its lease had run out, and it goes on all the same.
redis.call('ZREMRANGEBYSCORE', misses, tick, tick)
close_dead(open, misses, now)
return {1, now, before}
