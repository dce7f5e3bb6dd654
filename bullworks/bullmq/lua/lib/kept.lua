-- How long finished jobs are kept: '' all, 'N' the newest N, 'N/AGE/LIMIT' (each may be '') also no older than AGE
-- seconds, at most LIMIT removed by age in one call.
local parsed = {['']  = {}}
local function parse_retention(text)
  local retention = parsed[text]
  if not retention then
    local count, age, limit = string.match(text, '^(%d*)/(%d*)/(%d*)$')
    retention = {count = tonumber(count or text), age = tonumber(age), limit = tonumber(limit)}
    parsed[text] = retention
  end
  return retention
end

local function keeps_nothing(retention)
  return retention.count == 0
end
