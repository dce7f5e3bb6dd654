--[[ signal_job: a signal for a job, which is woken if it waits for it.
  KEYS    1 base    the common prefix of the queue's keys; touched: delayed, wait, prioritized, pc, active, marker, meta,
                    events, bw:*, and the job's hash
  ARGV    1 id      string
          2 signal  string  the field of the job's hash that keeps it
          3 mark    string  the field that marks the job as waiting for it
          4 data    JSON
          5 most    the fields that a job's hash may have
  RETURNS int       0 kept; 1 kept, and the job woken; 2 such a signal was there; 3 the wait had timed out; -1 there is no
                    such job; -3 it has ended; -13 its hash is full
  EVENTS  waiting (prev=delayed)
]]
-- include: lib/enqueue.lua
-- include: lib/line_priority.lua
-- include: lib/key_types.lua
local GONE, OTHER_STATE, FULL = -1, -3, -13
local KEPT, WOKEN, REPEATED, LATE = 0, 1, 2, 3
local base, id = KEYS[1], ARGV[1]
local key = base .. id
refuse_wrong_types(base)
refuse_wrong_type(key, 'hash')
if redis.call('EXISTS', key) == 0 then return GONE end
local found = redis.call('HMGET', key, 'finishedOn', ARGV[2], ARGV[3])
if found[1] then return OTHER_STATE end
if found[2] then return REPEATED end
if found[3] and string.find(found[3], 'timeout', 1, true) then return LATE end
if redis.call('HLEN', key) >= tonumber(ARGV[5]) then return FULL end
redis.call('HSET', key, ARGV[2], ARGV[4])
if not found[3] or redis.call('ZREM', base .. 'delayed', id) == 0 then return KEPT end
local queue = read_queue(base)
redis.call('HSET', key, 'delay', 0)
add_to_end(queue, id, line_priority(queue, id), false)
emit(queue, 'waiting', 'jobId', id, 'prev', 'delayed')
mark_work_unless_closed(queue)
return WOKEN
