--[[ forget_stale: drop the prices that nobody has updated for long.
  KEYS    1 last  hash  symbol -> {"price":..., "at_ms":...}
  ARGV    1 before_ms  ms since the epoch; older ones go
  RETURNS int  how many were dropped
  EVENTS  none
]]
local entries, dropped = redis.call('HGETALL', KEYS[1]), 0
for at = 1, #entries, 2 do
  if cjson.decode(entries[at + 1]).at_ms < tonumber(ARGV[1]) then
    dropped = dropped + redis.call('HDEL', KEYS[1], entries[at])
  end
end
return dropped
