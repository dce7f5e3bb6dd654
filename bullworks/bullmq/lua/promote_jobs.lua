--[[ promote_jobs: delayed jobs wait now, those first that are due first.
  KEYS    1 base   the common prefix of the queue's keys; touched: delayed, wait, prioritized, pc, active, marker, meta,
                   events, bw:*, and the jobs' hashes
  ARGV    1 limit  jobs in one call, 1 .. 5000
  RETURNS int      jobs that are still delayed
  EVENTS  waiting (prev=delayed)
]]
-- include: lib/enqueue.lua
-- include: lib/line_priority.lua
-- include: lib/key_types.lua
local base = KEYS[1]
refuse_wrong_types(base)
local queue = read_queue(base)
local ids = redis.call('ZRANGE', base .. 'delayed', 0, ARGV[1] - 1)
for _, id in ipairs(ids) do
  local key = base .. id
  redis.call('ZREM', base .. 'delayed', id)
  if redis.call('EXISTS', key) == 1 then
    add_to_end(queue, id, line_priority(queue, id), false)
    redis.call('HSET', key, 'delay', 0)
    emit(queue, 'waiting', 'jobId', id, 'prev', 'delayed')
  end
end
if #ids > 0 then mark_work_unless_closed(queue) end
return redis.call('ZCARD', base .. 'delayed')
