--[[ pause: no worker takes a job until resume; those under way go on.
  KEYS    1 base  the common prefix of the queue's keys; touched: meta, marker, events
  ARGV    none
  RETURNS int     1 paused now; 0 it was paused already
  EVENTS  paused
]]
-- include: lib/queue.lua
-- include: lib/events.lua
-- include: lib/key_types.lua
refuse_wrong_types(KEYS[1])
local queue = read_queue(KEYS[1])
redis.call('HSET', KEYS[1] .. 'meta', 'paused', 1)
-- Else the marker would wake a worker that may take nothing.
redis.call('DEL', KEYS[1] .. 'marker')
emit(queue, 'paused')
return queue.paused and 0 or 1
