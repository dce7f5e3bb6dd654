-- include: lib/number_of.lua

-- The priority that a job has, 0 for none, whatever lies under its id.
local function priority_of(queue, id)
  local priority = redis.pcall('HGET', queue.base .. id, 'priority')
  return type(priority) == 'string' and number_of(priority) or 0
end
