--[[ store_snapshot: keep a copy, unless one by a later holder of the lock is there.
  KEYS    1 snapshot  hash  fence, synced_at_ms, body
  ARGV    1 fence         int  of the lock under which the body was fetched
          2 synced_at_ms  ms
          3 body          bytes
  RETURNS int  1 stored; 0 a later one is there
  EVENTS  none
]]
local last = tonumber(redis.call('HGET', KEYS[1], 'fence') or 0)
if tonumber(ARGV[1]) < last then
  return 0
end
redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'synced_at_ms', ARGV[2], 'body', ARGV[3])
return 1
