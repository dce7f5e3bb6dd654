--[[ beat: say that workers of a queue are there, and forget those that were not heard of for long.
  KEYS    1 workers   hash    worker's id -> record
          2 seen      zset    worker's id -> when it was heard of, ms
  ARGV    1 lives_ms  int     after which a worker is forgotten
          2 most      int     workers that are kept; beyond that, those heard of last are
          3 ...       string  id and record of each worker, in turn
  RETURNS int         how many there are
  EVENTS  none
]]
local workers, seen, lives_ms, most = KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for at = 3, #ARGV, 2 do
  redis.call('HSET', workers, ARGV[at], ARGV[at + 1])
  redis.call('ZADD', seen, now, ARGV[at])
end

-- A few at a time: each of thousands that died at once is forgotten by one of the next heartbeats.
local FORGOTTEN = 200
local gone = redis.call('ZRANGEBYSCORE', seen, '-inf', now - lives_ms, 'LIMIT', 0, FORGOTTEN)
local over = redis.call('ZCARD', seen) - #gone - most
if over > 0 then
  gone = redis.call('ZRANGE', seen, 0, math.min(#gone + over, FORGOTTEN) - 1)
end
for _, id in ipairs(gone) do
  redis.call('HDEL', workers, id)
  redis.call('ZREM', seen, id)
end
redis.call('PEXPIRE', workers, lives_ms)
redis.call('PEXPIRE', seen, lives_ms)
return redis.call('ZCARD', seen)
