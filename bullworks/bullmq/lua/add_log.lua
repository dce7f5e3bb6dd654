--[[ add_log: one more line in a job's log.
  KEYS    1 base  the common prefix of the queue's keys; touched: the job's hash (whether it exists) and its `:logs`
  ARGV    1 id    string
          2 row   string
          3 keep  lines kept, the newest; '' for all
  RETURNS int     the lines there are then; -1 there is no such job
  EVENTS  none
]]
-- include: lib/key_types.lua
local GONE = -1
local key = KEYS[1] .. ARGV[1]
refuse_wrong_type(key, 'hash')
if redis.call('EXISTS', key) == 0 then return GONE end
local logs = key .. ':logs'
local count = redis.call('RPUSH', logs, ARGV[2])
local keep = tonumber(ARGV[3])
if not keep or count <= keep then return count end
if keep == 0 then
  redis.call('DEL', logs)
else
  redis.call('LTRIM', logs, -keep, -1)
end
return keep
