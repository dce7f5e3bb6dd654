--[[ resume: workers take jobs again. Before that, jobs that BullMQ 5 moved to its list `paused` return to `wait`.
  KEYS    1 base   the common prefix of the queue's keys; touched: meta, paused, wait, prioritized, delayed, active, marker,
                   events
  ARGV    1 limit  jobs of `paused` that one call moves, 1 .. 5000
  RETURNS int      how many of them are left: above 0, the queue is still paused, so that nobody sees half the order;
                   call again. 0: the queue runs
  EVENTS  resumed, once nothing is left
]]
-- include: lib/queue.lua
-- include: lib/events.lua
-- include: lib/marker.lua
-- include: lib/key_types.lua
local base = KEYS[1]
refuse_wrong_types(base)
local queue = read_queue(base)
-- They are older than what waits: all of them belong to the head, in their order.
local moved = redis.call('LPOP', base .. 'paused', ARGV[1])
if moved then redis.call('RPUSH', base .. 'wait', unpack(moved)) end
local left = redis.call('LLEN', base .. 'paused')
if left > 0 then return left end
redis.call('HDEL', base .. 'meta', 'paused')
queue.paused = false
if redis.call('EXISTS', base .. 'wait', base .. 'prioritized') > 0 then
  mark_work_unless_closed(queue)
else
  mark_next_delayed(queue)
end
emit(queue, 'resumed')
return 0
