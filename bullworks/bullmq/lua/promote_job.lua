--[[ promote_job: a delayed job waits now.
  KEYS    1 base  the common prefix of the queue's keys; touched: delayed, wait, prioritized, pc, active, marker, meta,
                  events, bw:*, and the job's hash
  ARGV    1 id    string
  RETURNS int     0 it waits; -1 there is no such job; -3 it is not delayed
  EVENTS  waiting (prev=delayed)
]]
-- include: lib/enqueue.lua
-- include: lib/line_priority.lua
-- include: lib/key_types.lua
local GONE, OTHER_STATE = -1, -3
local base, id = KEYS[1], ARGV[1]
refuse_wrong_types(base)
refuse_wrong_type(base .. id, 'hash')
local queue = read_queue(base)
if redis.call('EXISTS', base .. id) == 0 then return GONE end
if redis.call('ZREM', base .. 'delayed', id) == 0 then return OTHER_STATE end
redis.call('HSET', base .. id, 'delay', 0)
add_to_end(queue, id, line_priority(queue, id), false)
emit(queue, 'waiting', 'jobId', id, 'prev', 'delayed')
mark_work_unless_closed(queue)
return 0
