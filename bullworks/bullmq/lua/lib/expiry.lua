-- Whether a job has expired: its option `expires` counts ms from when it was first due, or names a time. An option that
-- cannot be read is none here: the worker that takes the job cannot read it either, and fails the job.
local function is_past_expiry(hash, opts, now)
  local is_read, options = pcall(cjson.decode, opts)
  if not is_read or type(options) ~= 'table' then return false end
  local expires, created = options.expires, nil
  if type(expires) == 'table' then return type(expires.at) == 'number' and now >= expires.at end
  for i = 1, #hash, 2 do
    if hash[i] == 'timestamp' then created = number_of(hash[i + 1]) end
  end
  if type(expires) ~= 'number' or not created then return false end
  return now >= created + (tonumber(options.delay) or 0) + expires
end
