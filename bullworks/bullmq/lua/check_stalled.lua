--[[ check_stalled: jobs whose worker vanished go back to wait; one check per interval in the whole fleet.
  KEYS    1 base  the common prefix of the queue's keys; touched: stalled-check, stalled, active, wait, marker, meta,
                  events, and the hashes and locks of active jobs
  ARGV    1 interval_ms        ms  no other check runs for so long
          2 max_stalled_count  times a job may stall before it is failed
  RETURNS list  the ids that went back to wait
  EVENTS  waiting (prev=active), stalled
]]
-- include: lib/now.lua
-- include: lib/enqueue.lua
local base = KEYS[1]
local queue = read_queue(base)
if not redis.call('SET', base .. 'stalled-check', now_ms(), 'PX', ARGV[1], 'NX') then return {} end
local max_stalled_count = tonumber(ARGV[2])
local moved = {}
for _, id in ipairs(redis.call('SMEMBERS', base .. 'stalled')) do
  local key = base .. id
  if redis.call('EXISTS', key .. ':lock') == 0 and redis.call('LREM', base .. 'active', 1, id) > 0
    and redis.call('EXISTS', key) == 1 then
    local stalled_count = redis.call('HINCRBY', key, 'stc', 1)
    if stalled_count > max_stalled_count and redis.call('HEXISTS', key, 'rjk') == 0 then
      -- The next worker that takes it fails it with this reason, and does not run it.
      redis.call('HSET', key, 'defa', 'job stalled more than allowable limit')
    end
    redis.call('RPUSH', base .. 'wait', id)
    emit(queue, 'waiting', 'jobId', id, 'prev', 'active')
    emit(queue, 'stalled', 'jobId', id)
    moved[#moved + 1] = id
  end
end
redis.call('DEL', base .. 'stalled')
-- Whoever is active now and has no lock by the next check has stalled.
local active = redis.call('LRANGE', base .. 'active', 0, -1)
for from = 1, #active, 5000 do
  redis.call('SADD', base .. 'stalled', unpack(active, from, math.min(from + 4999, #active)))
end
if #moved > 0 then mark_work_unless_closed(queue) end
return moved
