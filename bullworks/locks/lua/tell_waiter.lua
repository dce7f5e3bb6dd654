--[[ tell_waiter: tell a process that the lock which one of its tokens waits for is free.
  KEYS    1 told   list    what that process reads
  ARGV    1 token  string  the one that waits
  RETURNS int  how many it has not read yet
  EVENTS  none
]]
local length = redis.call('RPUSH', KEYS[1], ARGV[1])
-- That process may be dead.
redis.call('PEXPIRE', KEYS[1], 10000)
return length
