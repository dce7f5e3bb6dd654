--[[ update_progress: what the handler reports, stored and told.
  KEYS    1 base      the common prefix of the queue's keys; touched: meta, events, and the job's hash
  ARGV    1 id        string
          2 progress  JSON
  RETURNS int         0 stored; -1 there is no such job
  EVENTS  progress
]]
-- include: lib/queue.lua
-- include: lib/events.lua
-- include: lib/key_types.lua
local GONE = -1
local key = KEYS[1] .. ARGV[1]
refuse_wrong_type(key, 'hash')
if redis.call('EXISTS', key) == 0 then return GONE end
redis.call('HSET', key, 'progress', ARGV[2])
emit(read_queue(KEYS[1]), 'progress', 'jobId', ARGV[1], 'data', ARGV[2])
return 0
