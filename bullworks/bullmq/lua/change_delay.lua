--[[ change_delay: a delayed job is due so long from now.
  KEYS    1 base      the common prefix of the queue's keys; touched: delayed, marker, meta, events, and the job's hash
  ARGV    1 id        string
          2 delay_ms  ms  0 or more
  RETURNS int         0 changed; -1 there is no such job; -3 it is not delayed
  EVENTS  delayed
]]
-- include: lib/now.lua
-- include: lib/enqueue.lua
-- include: lib/key_types.lua
local GONE, OTHER_STATE = -1, -3
local base, id = KEYS[1], ARGV[1]
refuse_wrong_types(base)
refuse_wrong_type(base .. id, 'hash')
if redis.call('EXISTS', base .. id) == 0 then return GONE end
if redis.call('ZREM', base .. 'delayed', id) == 0 then return OTHER_STATE end
redis.call('HSET', base .. id, 'delay', ARGV[2])
add_delayed(read_queue(base), id, now_ms() + ARGV[2])
return 0
