--[[ next_iteration: a worker runs a scheduler's pending iteration, so the next one takes its place. Harmless to repeat.
  KEYS    1 base          the common prefix of the queue's keys; touched: repeat, repeat:*, id, meta, wait, delayed,
                          prioritized, pc, marker, events, active and completed (read), and the hash of the iteration
  ARGV    1 job_id        string  the iteration that runs
          2 scheduler_id  string
          3 opts          JSON of the next one's options, no empty object; what only this script knows is added
          4 priority      0 .. 2^21 - 1
          5 lifo          '1' or ''
          6 next_ms       when a pattern's next job is due; '' where there is `every`
  RETURNS list            0, the id of the next iteration; -1, ms: that of then was run already; -2: its end date is
                          near, there is none; -3: another iteration is pending, or the scheduler is gone
  EVENTS  added, then delayed or waiting; never duplicated, deduplicated, waiting-children, removed
]]
-- include: lib/now.lua
-- include: lib/iteration.lua
local base, scheduler_id = KEYS[1], ARGV[2]
refuse_scheduler_types(base, scheduler_id)
if not is_pending_iteration(base, ARGV[1]) then return {NOT_PENDING} end
local queue, now = read_queue(base), now_ms()
local key = base .. 'repeat:' .. scheduler_id
local stored = redis.call('HMGET', key, 'name', 'data', 'every', 'offset', 'endDate')
if not stored[1] then return {NOT_PENDING} end
local every, due = tonumber(stored[3]), tonumber(ARGV[6])
if not due then
  -- Changed to a pattern by another hand while its iteration was taken: that one has put its own in place.
  if not every then return {NOT_PENDING} end
  local last = tonumber(redis.call('ZSCORE', base .. 'repeat', scheduler_id))
  local offset = tonumber(stored[4]) or last % every
  due = free_slot(queue, scheduler_id, slot_after(last, now, every, offset), every)
elseif redis.call('EXISTS', base .. iteration_id(scheduler_id, due)) == 1 then
  return {ALREADY_RUN, string.format('%.0f', due)}
end
if stored[5] and due > tonumber(stored[5]) then return {ENDED} end
redis.call('HINCRBY', key, 'ic', 1)
return {ADDED, add_iteration(queue, now, scheduler_id, due, {name = stored[1], data = stored[2] or '{}', opts = ARGV[3],
  priority = tonumber(ARGV[4]), lifo = ARGV[5] == '1', is_pattern = ARGV[6] ~= ''})}
