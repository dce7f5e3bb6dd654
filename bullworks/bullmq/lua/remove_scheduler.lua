--[[ remove_scheduler: forget a scheduler and its pending iteration; one that a worker runs goes on.
  KEYS    1 base  the common prefix of the queue's keys; touched: repeat, repeat:*, every list and set of the queue, events,
                  de:*, bw:*, and all keys of the iteration
  ARGV    1 id    string  the scheduler's
  RETURNS int     1 removed; 0 there is none
  EVENTS  removed; never waiting, waiting-children, delayed
]]
-- include: lib/now.lua
-- include: lib/remove_tree.lua
-- include: lib/iteration.lua
local base, id = KEYS[1], ARGV[1]
refuse_wrong_types(base)
refuse_scheduler_types(base, id)
local last = redis.call('ZSCORE', base .. 'repeat', id)
if not last then return 0 end
local pending = iteration_id(id, last)
if IN_LINE[place_of(base, pending)] then remove_nodes({{base = base, id = pending}}, now_ms()) end
redis.call('ZREM', base .. 'repeat', id)
redis.call('DEL', base .. 'repeat:' .. id)
return 1
