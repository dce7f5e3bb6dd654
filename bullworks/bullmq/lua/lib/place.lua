-- Where a job is: the suffix of the one list or set that holds its id, or nil. Sets first, since a list is searched.
local function place_of(base, id)
  for _, suffix in ipairs({'completed', 'failed', 'delayed', 'prioritized', 'waiting-children'}) do
    if redis.call('ZSCORE', base .. suffix, id) then return suffix end
  end
  for _, suffix in ipairs({'active', 'wait', 'paused'}) do
    if redis.call('LPOS', base .. suffix, id) then return suffix end
  end
  return nil
end
