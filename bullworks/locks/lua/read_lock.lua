--[[ read_lock: who holds the lock, and for how long.
  KEYS    1 lock  hash  as in acquire_lock
          2 line  zset
  ARGV    none
  RETURNS list  ms until it runs out, tokens in line, fence, host, pid, instance, acquired_at_ms; empty: it is free
  EVENTS  none
]]
local left_ms = redis.call('PTTL', KEYS[1])
if left_ms < 0 then
  return {}
end
local fields = redis.call('HMGET', KEYS[1], 'fence', 'host', 'pid', 'instance', 'acquired_at_ms')
return {left_ms, redis.call('ZCARD', KEYS[2]), unpack(fields)}
