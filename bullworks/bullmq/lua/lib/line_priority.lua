-- include: lib/enqueue.lua
-- include: lib/group_settings.lua
-- include: lib/number_of.lua
-- include: lib/whole.lua

-- Lua makes the functions of a script with each call, and few jobs have a group.
local ranks_made
local function ranks()
  if ranks_made then return ranks_made end
  -- include within: lib/group_rank.lua
  ranks_made = {rank_again = rank_again}
  return ranks_made
end

-- The priority with which a job joins the end of its line, 0 for none: as its hash has it, or of its group's next round.
local function priority_in_line(queue, id, stored, group)
  if group then
    -- A key of the group that others spoiled must not keep the job, which may lie nowhere now, from its line.
    local is_ranked, priority = pcall(ranks().rank_again, queue, id, group)
    if is_ranked then return priority end
  end
  return number_of(stored) or 0
end

-- The same, whatever lies under the job's id.
local function line_priority(queue, id)
  local fields = redis.pcall('HMGET', queue.base .. id, 'priority', 'gid')
  if fields.err then return 0 end
  return priority_in_line(queue, id, fields[1], fields[2])
end
