--[[ remove_job: remove a job, wherever it is, unless a worker runs it or a scheduler needs it.
  KEYS    1 base  the common prefix of the queue's keys; touched: every list and set of the queue, events, and all keys of
                  the job
  ARGV    1 id    string
  RETURNS int     0 removed; -1 there is none; -8 a scheduler's pending iteration; -10 a worker holds its lock
  EVENTS  removed
]]
-- include: lib/queue.lua
-- include: lib/events.lua
-- include: lib/key_types.lua
-- include: lib/place.lua
-- include: lib/remove.lua
-- include: lib/scheduler.lua
local GONE, SCHEDULED, LOCKED = -1, -8, -10
local base, id = KEYS[1], ARGV[1]
refuse_wrong_types(base)
refuse_wrong_type(base .. id, 'hash')
local queue = read_queue(base)
if redis.call('EXISTS', base .. id) == 0 then return GONE end
if redis.call('EXISTS', base .. id .. ':lock') == 1 then return LOCKED end
if is_pending_iteration(base, id) then return SCHEDULED end
local place = place_of(base, id)
if place == 'wait' or place == 'paused' or place == 'active' then
  redis.call('LREM', base .. place, 1, id)
  redis.call('SREM', base .. 'stalled', id)
elseif place then
  redis.call('ZREM', base .. place, id)
end
delete_job(base, id)
emit(queue, 'removed', 'jobId', id, 'prev', place or 'unknown')
return 0
