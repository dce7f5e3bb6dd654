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
      if type(value) == 'number' or value == true then limits[name] = value end
    end
  end
  if limits.ordered then limits.concurrency = 1 end
  if not limits.duration then limits.max = nil end
  queue.limits[group] = limits
  return limits
end
