--[[ checkpoint: what a step of a job came to, kept while the job is the caller's.
  KEYS    1 base   the common prefix of the queue's keys; touched: the job's hash, and its lock, which is read
  ARGV    1 id     string
          2 token  string  must be in the job's lock
          3 field  string  of the job's hash
          4 value  text
  RETURNS int      0 kept; -1 there is no such job; -2 no lock; -6 another's lock
  EVENTS  none
]]
-- include: lib/key_types.lua
local GONE, NO_LOCK, FOREIGN_LOCK = -1, -2, -6
local key = KEYS[1] .. ARGV[1]
refuse_wrong_type(key, 'hash')
local holder = redis.call('GET', key .. ':lock')
if holder ~= ARGV[2] then
  if holder then return FOREIGN_LOCK end
  return redis.call('EXISTS', key) == 0 and GONE or NO_LOCK
end
-- One that was removed by force must not come back as a hash without a name.
if redis.call('EXISTS', key) == 0 then return GONE end
redis.call('HSET', key, ARGV[3], ARGV[4])
return 0
