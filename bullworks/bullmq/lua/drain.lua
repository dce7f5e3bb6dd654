--[[ drain: remove the oldest jobs of one state that never ran, but for those that a scheduler keeps waiting.
  KEYS    1 base   the common prefix of the queue's keys; touched: the state's, repeat, de:*, bw:*, all keys of the jobs, and of
                 parents that lose their last child
  ARGV    1 state  wait, paused, prioritized or delayed
          2 limit  jobs looked at in one call, 1 .. 5000
          3 skip   jobs before them that earlier calls left
  RETURNS list     jobs removed; jobs left there because a scheduler needs them; jobs not looked at yet
  EVENTS  waiting (prev=waiting-children), delayed: of parents in other queues
]]
-- include: lib/now.lua
-- include: lib/key_types.lua
-- include: lib/window.lua
-- include: lib/leave.lua
-- include: lib/remove.lua
-- include: lib/scheduler.lua
local base, state = KEYS[1], ARGV[1]
refuse_wrong_types(base)
local window = read_window(base, state, tonumber(ARGV[3]), tonumber(ARGV[2]))
local removed, kept = {}, 0
for _, id in ipairs(window.ids) do
  if is_pending_iteration(base, id) then
    kept = kept + 1
  else
    removed[#removed + 1] = id
  end
end
take_out(window, removed)
local queue, now = read_queue(base), now_ms()
for _, id in ipairs(removed) do take_leave_with_parents(queue, id, now) end
delete_jobs(base, removed)
return {#removed, kept, math.max(window_size(window) - kept - window.skip, 0)}
