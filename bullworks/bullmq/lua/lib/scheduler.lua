-- Whether the job is the one iteration that its scheduler keeps waiting. Without it the scheduler would never run again,
-- so it leaves with its scheduler only.
local function is_pending_iteration(base, id)
  if string.sub(id, 1, 7) ~= 'repeat:' then return false end
  local scheduler_id = redis.pcall('HGET', base .. id, 'rjk')
  if type(scheduler_id) ~= 'string' then return false end
  local next_ms = redis.call('ZSCORE', base .. 'repeat', scheduler_id)
  return next_ms and id == 'repeat:' .. scheduler_id .. ':' .. string.format('%.0f', next_ms)
end
