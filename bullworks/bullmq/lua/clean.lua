--[[ clean: remove the oldest jobs of one state; never one that a worker holds or a scheduler needs.
  KEYS    1 base      the common prefix of the queue's keys; touched: the state's, stalled, repeat, events, de:*, bw:*, all keys
                      of the jobs, and of parents that lose their last child; of those in other queues, what releases them
  ARGV    1 state     completed, failed, wait, paused, prioritized, delayed or active
          2 grace_ms  ms  age that a job must have: since it finished, else since it was last taken, else since it was added
          3 limit     jobs removed at most, 1 or more
          4 examined  jobs looked at in one call, 1 .. 5000
          5 skip      jobs before them that earlier calls left
  RETURNS list        `skip` for the next call, -1: all were looked at; then the ids removed
  EVENTS  cleaned; of parents in other queues waiting (prev=waiting-children), delayed
]]
-- include: lib/now.lua
-- include: lib/queue.lua
-- include: lib/events.lua
-- include: lib/key_types.lua
-- include: lib/window.lua
-- include: lib/leave.lua
-- include: lib/remove.lua
-- include: lib/scheduler.lua
local base, state = KEYS[1], ARGV[1]
refuse_wrong_types(base)
local queue = read_queue(base)
local now = now_ms()
local oldest_kept = now - ARGV[2]
local limit, examined, skip = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local is_finished = state == 'completed' or state == 'failed'
-- What was read of a job to know its age, and is needed once more when it leaves.
local fields_of = {}

local function is_old_enough(id)
  if state == 'active' and redis.call('EXISTS', base .. id .. ':lock') == 1 then return false end
  if is_pending_iteration(base, id) then return false end
  local fields = redis.pcall('HMGET', base .. id, 'parentKey', 'parent', 'deid', 'gid', 'processedOn', 'timestamp')
  fields_of[id] = fields
  local since = tonumber(state ~= 'prioritized' and fields[5] or fields[6])
  -- An id with no job behind it, or one that cannot be read, has no age; it goes.
  return not since or since <= oldest_kept
end

local window = read_window(base, state, skip, examined)
local removed, next_skip = {}, skip
-- Finished jobs lie in the order of their ends: those that are too young come last.
local old = is_finished and redis.call('ZCOUNT', window.key, '-inf', oldest_kept) - skip
for i, id in ipairs(window.ids) do
  if #removed == limit then break end
  local goes
  if is_finished then goes = i <= old else goes = is_old_enough(id) end
  if goes then
    removed[#removed + 1] = id
  else
    next_skip = next_skip + 1
  end
end
take_out(window, removed)
if state == 'active' and #removed > 0 then redis.call('SREM', base .. 'stalled', unpack(removed)) end
for _, id in ipairs(removed) do take_leave_with_parents(queue, id, now, fields_of[id]) end
delete_jobs(base, removed)
emit(queue, 'cleaned', 'count', #removed)
local looked_at = #removed + next_skip - skip
local is_done = #window.ids < examined and looked_at == #window.ids
return {is_done and -1 or next_skip, unpack(removed)}
