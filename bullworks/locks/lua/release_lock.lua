--[[ release_lock: give the lock up, but only if it is still ours, and leave the line.
  KEYS    1 lock   hash    holds the owner's token; has a TTL
          2 line   zset    as in acquire_lock
          3 seen   zset
  ARGV    1 token  string  of the acquisition
  RETURNS list  1 released, 0 expired or held by someone else or never ours; then the token to tell that the lock is
                free, '' for nobody
  EVENTS  none
]]
-- include: lib/now.lua
-- include: lib/line.lua
local lock, line, seen, token = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local owner, released = redis.call('HGET', lock, 'token'), 0
if owner == token then
  released = redis.call('DEL', lock)
  owner = false
end
leave_line(line, seen, token)
if owner then
  return {released, ''}
end
local now = now_us()
local head = first_alive(line, seen, now, false)
return {released, call_up(line, seen, now, head)}
