-- What each limit may be, as options/group.py has it: whole numbers but for the weight.
local LIMITS = {
  weight = {0.001, 1000}, concurrency = {1, 9007199254740991}, max = {1, 10000}, duration = {1, 86400000},
  max_size = {1, 9007199254740991},
}

-- Anybody may have written it, and half of what makes a fetch fail would lose the jobs that it has popped.
local function is_limit(name, value)
  if name == 'ordered' then return value == true end
  local range = LIMITS[name]
  return range and type(value) == 'number' and value >= range[1] and value <= range[2]
    and (name == 'weight' or value % 1 == 0)
end

-- What `bw:limits` says of a group: {weight, concurrency, max, duration, max_size, ordered, paused}, its own before the
-- defaults; nil where the queue limits no group. Read once a script call.
local function limits_of(queue, group)
  local key = queue.base .. 'bw:limits'
  if queue.limits == nil then queue.limits = redis.call('EXISTS', key) == 1 and {} end
  if not queue.limits then return nil end
  local limits = queue.limits[group]
  if limits then return limits end
  local stored = redis.call('HMGET', key, 'l:', 'l:' .. group, 'p:' .. group)
  limits = {paused = stored[3] and true or nil}
  for i = 1, 2 do
    -- What cannot be read limits nothing: an error would keep all workers from all jobs.
    local is_read, own = pcall(cjson.decode, stored[i] or '{}')
    for name, value in pairs(is_read and type(own) == 'table' and own or {}) do
      if is_limit(name, value) then limits[name] = value end
    end
  end
  if limits.ordered then limits.concurrency = 1 end
  if not limits.duration then limits.max = nil end
  queue.limits[group] = limits
  return limits
end
