--[[ oldest_waiting: since when the oldest job waits that some worker could take.
  KEYS    1 base     prefix  `<prefix>:<queue>:`; reads base + meta, wait, prioritized and some jobs' hashes
  ARGV    none
  RETURNS list       {since, now}, ms; since is -1 where no job waits, or the queue is paused
  EVENTS  none
]]

-- Looked at at each end of the line: jobs that failed before wait for another attempt since nobody knows when, and a job
-- that was added at the front came later than those behind it.
local LOOKED_AT = 10
local PRIORITY_SPAN = 4294967296

local base = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('HEXISTS', base .. 'meta', 'paused') == 1 then return {-1, now} end

local since = -1

local function look(id)
  local job = redis.call('HMGET', base .. id, 'timestamp', 'opts', 'atm', 'processedOn')
  local began = tonumber(job[1])
  if not began or (tonumber(job[3]) or 0) > 0 then return end
  local readable, opts = pcall(cjson.decode, job[2] or '{}')
  local delay = readable and type(opts) == 'table' and tonumber(opts.delay) or 0
  -- One that was handed back has waited since, at the longest since it began.
  began = math.max(began + delay, tonumber(job[4]) or 0)
  if since == -1 or began < since then since = began end
end

for _, id in ipairs(redis.call('LRANGE', base .. 'wait', -LOOKED_AT, -1)) do look(id) end
for _, id in ipairs(redis.call('ZRANGE', base .. 'prioritized', 0, LOOKED_AT - 1)) do look(id) end
-- What comes last by priority may have waited longest: the first of those.
local last = redis.call('ZRANGE', base .. 'prioritized', -1, -1, 'WITHSCORES')
if last[2] then
  local least = math.floor(tonumber(last[2]) / PRIORITY_SPAN) * PRIORITY_SPAN
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. 'prioritized', least, '+inf', 'LIMIT', 0, LOOKED_AT)) do
    look(id)
  end
end
if since > now then since = now end
return {since, now}
