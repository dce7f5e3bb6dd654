--[[ retry_jobs: finished jobs wait again, the oldest first.
  KEYS    1 base    the common prefix of the queue's keys; touched: as in reprocess_job, for each job
  ARGV    1 state   completed or failed
          2 limit   jobs in one call, 1 .. 5000
          3 until   ms  only jobs that finished then or before; '' for now
  RETURNS list      jobs that wait again; ids taken out of the state (some may have had no job); until, for the next call
  EVENTS  waiting (prev=completed, prev=failed)
]]
-- include: lib/now.lua
-- include: lib/key_types.lua
-- include: lib/reprocess.lua
local base, state = KEYS[1], ARGV[1]
refuse_wrong_types(base)
local queue = read_queue(base)
local latest = ARGV[3] == '' and now_ms() or ARGV[3]
local ids = redis.call('ZRANGEBYSCORE', base .. state, '-inf', latest, 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do refuse_wrong_parent_types(queue, id) end
local moved = 0
for _, id in ipairs(ids) do
  redis.call('ZREM', base .. state, id)
  if redis.call('EXISTS', base .. id) == 1 then
    reprocess(queue, id, state, false)
    moved = moved + 1
  end
end
return {moved, #ids, latest}
