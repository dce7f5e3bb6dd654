--[[ check_stalled: jobs whose worker vanished go back to wait; one check per interval in the whole fleet.
  KEYS    1 base  the common prefix of the queue's keys; touched: stalled-check, stalled, active, wait, marker, meta,
                  events, and the hashes and locks of active jobs
  ARGV    1 interval_ms        ms  no other check begins for so long
          2 max_stalled_count  times a job may stall before it is failed
          3 confirms  '1': a job has stalled that has no lock, and had none at the last check, so that the first check after
                      Redis was away takes nothing from those who will renew; '': one that was active then
          4 from      '' begins a check; else what the last call answered: it looks at 100 jobs, the oldest first
  RETURNS list  the ids that went back to wait; from, for the next call, -1 once all have been looked at
  EVENTS  waiting (prev=active), stalled
]]
-- include: lib/now.lua
-- include: lib/enqueue.lua
-- include: lib/number_of.lua
-- include: lib/whole.lua
-- Each may cost ten commands: so many are some milliseconds of Redis.
local MOST_JOBS = 100
local GONE = '\0gone'
local base, max_stalled_count, confirms = KEYS[1], tonumber(ARGV[2]), ARGV[3] == '1'
local queue, from = read_queue(base), tonumber(ARGV[4])
if not from then
  if not redis.call('SET', base .. 'stalled-check', now_ms(), 'PX', ARGV[1], 'NX') then return {{}, -1} end
  from = 0
end

-- Counts the stall, and says whether there is still such a job.
local function count_stall(key)
  local job = redis.pcall('HMGET', key, 'stc', 'rjk', 'beside', 'ats', 'name')
  if job.err or redis.call('EXISTS', key) == 0 then return false end
  local count = number_of(job[1] or '0')
  if not count then return true end  -- whoever takes it fails it for that
  redis.call('HSET', key, 'stc', whole(count + 1))
  -- One that died beside others has yet to show that it was to blame: it runs alone next.
  local is_innocent = job[3] and job[3] == job[4]
  if count + 1 > max_stalled_count and not job[2] and not is_innocent then
    -- The next worker that takes it fails it with this reason, and does not run it.
    redis.call('HSET', key, 'defa', 'job stalled more than allowable limit')
  end
  return true
end

-- Few go back in the order in which npm bullmq would meet them; of many the oldest go first.
local function in_order_of_set(gone)
  if redis.call('SCARD', base .. 'stalled') > MOST_JOBS then return gone end
  local is_gone, ordered = {}, {}
  for _, id in ipairs(gone) do is_gone[id] = true end
  for _, id in ipairs(redis.call('SMEMBERS', base .. 'stalled')) do
    if is_gone[id] then ordered[#ordered + 1] = id end
  end
  return ordered
end

local ids = redis.call('LRANGE', base .. 'active', -from - MOST_JOBS, -from - 1)
local is_last = #ids < MOST_JOBS
local was_marked = #ids > 0 and redis.call('SMISMEMBER', base .. 'stalled', unpack(ids)) or {}
local gone, marked, unmarked = {}, {}, {}
for i = #ids, 1, -1 do
  local id = ids[i]
  local has_lock = redis.call('EXISTS', base .. id .. ':lock') == 1
  if not has_lock and was_marked[i] == 1 then
    gone[#gone + 1], unmarked[#unmarked + 1] = id, id
    -- Removed by its place: to search the list for each would take the square of its length.
    redis.call('LSET', base .. 'active', i - #ids - 1 - from, GONE)
  elseif not has_lock or not confirms then
    marked[#marked + 1] = id
  else
    unmarked[#unmarked + 1] = id
  end
end
if #gone > 0 then redis.call('LREM', base .. 'active', -#gone, GONE) end
if is_last and from == 0 then
  if #gone > 1 then gone = in_order_of_set(gone) end
  -- Ids of jobs that are active no more are forgotten where one call sees all that are.
  redis.call('DEL', base .. 'stalled')
end
if #unmarked > 0 then redis.call('SREM', base .. 'stalled', unpack(unmarked)) end
if #marked > 0 then redis.call('SADD', base .. 'stalled', unpack(marked)) end
local moved = {}
for _, id in ipairs(gone) do
  if count_stall(base .. id) then
    redis.call('RPUSH', base .. 'wait', id)
    emit(queue, 'waiting', 'jobId', id, 'prev', 'active')
    emit(queue, 'stalled', 'jobId', id)
    moved[#moved + 1] = id
  end
end
if #moved > 0 then mark_work_unless_closed(queue) end
return {moved, is_last and -1 or from + #ids - #gone}
