--[[ extend_lock: let the lock live for another ttl from now, if it is still ours.
  KEYS    1 lock    hash    holds the owner's token; has a TTL
  ARGV    1 token   string  of the acquisition
          2 ttl_ms  ms
  RETURNS int  1 extended; 0 expired, or held by someone else
  EVENTS  none
]]
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
