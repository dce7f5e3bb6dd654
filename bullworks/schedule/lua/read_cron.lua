--[[ read_cron: what is known of a cron, once runs of processes that died are listed as missed.
  KEYS    1 state   hash  what is known of the cron
          2 open    zset  runs that go on
          3 misses  zset  ticks that did not run
  ARGV    none
  RETURNS list  the state's fields and values; then the members of `misses`, oldest first; then those of `open`
  EVENTS  none
]]
-- include: lib/now.lua
-- include: lib/misses.lua
local state, open, misses = KEYS[1], KEYS[2], KEYS[3]
close_dead(open, misses, now_ms())
return {
  redis.call('HGETALL', state),
  redis.call('ZRANGE', misses, 0, -1),
  redis.call('ZRANGE', open, 0, MOST_CLOSED - 1),
}
