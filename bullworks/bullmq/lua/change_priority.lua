--[[ change_priority: another priority for a job; one that waits joins the end of its new line, or with lifo its head.
  KEYS    1 base      the common prefix of the queue's keys; touched: wait, paused, prioritized, pc, active, marker, meta,
                      and the job's hash
  ARGV    1 id        string
          2 priority  0 .. 2^21 - 1
          3 lifo      '1' to run before all others of that priority, else ''
  RETURNS int         0 changed; -1 there is no such job; -11 it has a group, which decides
  EVENTS  none
]]
-- include: lib/enqueue.lua
-- include: lib/key_types.lua
local GONE, GROUPED = -1, -11
local base, id, priority, lifo = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
refuse_wrong_types(base)
refuse_wrong_type(base .. id, 'hash')
local fields = redis.call('HMGET', base .. id, 'name', 'gid')
if not fields[1] then return GONE end
if fields[2] then return GROUPED end
redis.call('HSET', base .. id, 'priority', priority)
local waits = redis.call('ZREM', base .. 'prioritized', id) + redis.call('LREM', base .. 'wait', 1, id)
  + redis.call('LREM', base .. 'paused', 1, id)
if waits == 0 then return 0 end
if lifo then
  add_to_head({base = base}, id, priority)
else
  add_to_end({base = base}, id, priority, false)
end
mark_work_unless_closed(read_queue(base))
return 0
