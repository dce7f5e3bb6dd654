--[[ update_data: another payload for a job, seen by its next attempt.
  KEYS    1 base  the common prefix of the queue's keys; touched: the job's hash
  ARGV    1 id    string
          2 data  JSON
  RETURNS int     0 stored; -1 there is no such job
  EVENTS  none
]]
-- include: lib/key_types.lua
local GONE = -1
local key = KEYS[1] .. ARGV[1]
refuse_wrong_type(key, 'hash')
if redis.call('EXISTS', key) == 0 then return GONE end
redis.call('HSET', key, 'data', ARGV[2])
return 0
