--[[ obliterate: remove jobs of every state, and at last the queue itself.
  KEYS    1 base   the common prefix of the queue's keys; touched: every list and set of the queue, id, repeat, repeat:*,
                   stalled-check, metrics:*, de:*, bw:*, all keys of the jobs, and of parents that lose their last child
  ARGV    1 limit  jobs removed in one call, 1 .. 5000
          2 force  '1' to remove active jobs too, else ''
  RETURNS int      1 there may be more: call again; 0 nothing is left; -1 it is not paused; -2 it has active jobs
  EVENTS  waiting (prev=waiting-children), delayed: of parents in other queues
]]
-- include: lib/now.lua
-- include: lib/key_types.lua
-- include: lib/window.lua
-- include: lib/leave.lua
-- include: lib/remove.lua
local NOT_PAUSED, HAS_ACTIVE, MORE, DONE = -1, -2, 1, 0
local STATES = {'active', 'wait', 'paused', 'prioritized', 'delayed', 'waiting-children', 'completed', 'failed'}
local base, limit = KEYS[1], tonumber(ARGV[1])
refuse_wrong_types(base)
local queue, now = read_queue(base), now_ms()
if not queue.paused then return NOT_PAUSED end
if ARGV[2] ~= '1' and redis.call('LLEN', base .. 'active') > 0 then return HAS_ACTIVE end
for _, state in ipairs(STATES) do
  local window = read_window(base, state, 0, limit)
  take_out(window, window.ids)
  for _, id in ipairs(window.ids) do take_leave_with_parents(queue, id, now) end
  delete_jobs(base, window.ids)
  limit = limit - #window.ids
  if limit <= 0 then return MORE end
end
local schedulers = redis.call('ZRANGE', base .. 'repeat', 0, limit - 1)
for _, id in ipairs(schedulers) do redis.call('DEL', base .. 'repeat:' .. id) end
if #schedulers > 0 then redis.call('ZREM', base .. 'repeat', unpack(schedulers)) end
if #schedulers == limit then return MORE end
-- Of those that Node removed.
local groups = redis.call('ZRANGE', base .. 'bw:groups', 0, limit - 1)
for _, group in ipairs(groups) do
  for _, part in ipairs({'group', 'slots', 'parked', 'starts'}) do
    redis.call('DEL', base .. 'bw:' .. part .. ':' .. group)
  end
end
if #groups > 0 then redis.call('ZREM', base .. 'bw:groups', unpack(groups)) end
if #groups == limit then return MORE end
redis.call('DEL', base .. 'bw:clock', base .. 'bw:limits', base .. 'id', base .. 'pc', base .. 'marker', base .. 'events', base .. 'stalled',
  base .. 'stalled-check', base .. 'meta', base .. 'metrics:completed', base .. 'metrics:completed:data',
  base .. 'metrics:failed', base .. 'metrics:failed:data')
return DONE
