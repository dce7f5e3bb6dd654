--[[ record_run: write down how a run ended. What its tick was listed as, it ran.
  KEYS    1 state   hash    what is known of the cron
          2 open    zset    runs that go on
          3 misses  zset    ticks that did not run
          4 claim   string  of its tick; read for a claimed run only
  ARGV    1 tick      ms      of a claimed run; '' for any other
          2 token     string  of the process
          3 instance  string
          4 kept_ms   ms      how long the claim is remembered
          5 state_ms  ms      how long the state is remembered
          6...  field, value, field, value: of the state
  RETURNS int  1
  EVENTS  none
]]
local state, tick = KEYS[1], ARGV[1]
if tick ~= '' then
  redis.call('SET', KEYS[4], 'ran', 'PX', ARGV[4])
  redis.call('ZREM', KEYS[2], tick .. '|' .. ARGV[2] .. '|' .. ARGV[3])
  redis.call('ZREMRANGEBYSCORE', KEYS[3], tick, tick)
end
redis.call('HSET', state, unpack(ARGV, 6))
redis.call('PEXPIRE', state, ARGV[5])
return 1
