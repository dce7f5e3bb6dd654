--[[ remove_deduplication_key: a deduplication id is free again.
  KEYS    1 base  the common prefix of the queue's keys; touched: de:<deduplication id>
  ARGV    1 deduplication_id  string
          2 id                string  only if this job owns it; '' whoever does
  RETURNS int     1 removed; 0 not there, or another job's
  EVENTS  none
]]
local key = KEYS[1] .. 'de:' .. ARGV[1]
if ARGV[2] ~= '' and redis.call('GET', key) ~= ARGV[2] then return 0 end
return redis.call('DEL', key)
