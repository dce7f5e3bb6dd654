--[[ note_lock: remember the name of a lock that is asked for, so that all locks can be listed without a scan.
  KEYS    1 names   zset    names, by when a lock of that name that was asked for has certainly run out, us
  ARGV    1 name    string
          2 ttl_ms  ms
  RETURNS int  1 the name is new; 0 it was there
  EVENTS  none
]]
-- include: lib/now.lua
local now = now_us()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
return redis.call('ZADD', KEYS[1], 'GT', string.format('%.0f', now + ARGV[2] * 1000), ARGV[1])
