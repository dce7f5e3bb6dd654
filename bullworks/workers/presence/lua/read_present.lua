--[[ read_present: the workers of a queue that were heard of lately, those heard of last first.
  KEYS    1 workers   hash  as in beat
          2 seen      zset
  ARGV    1 lives_ms  int   as in beat
          2 most      int   workers to read
  RETURNS list        how many there are; then of each its id, ms since it was heard of, and its record
  EVENTS  none
]]
local workers, seen, lives_ms, most = KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local least = '(' .. string.format('%.0f', now - lives_ms)
local found = {redis.call('ZCOUNT', seen, least, '+inf')}
local listed = redis.call('ZREVRANGEBYSCORE', seen, '+inf', least, 'WITHSCORES', 'LIMIT', 0, most)
for at = 1, #listed, 2 do
  found[#found + 1] = listed[at]
  found[#found + 1] = math.max(now - tonumber(listed[at + 1]), 0)
  found[#found + 1] = redis.call('HGET', workers, listed[at]) or ''
end
return found
