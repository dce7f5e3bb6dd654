--[[ extend_locks: keep a worker's jobs its own for another lock duration.
  KEYS    1 base  the common prefix of the queue's keys; touched: the locks of the ids, and stalled
  ARGV    1 lock_ms  ms
          2...       id, token for each job
  RETURNS list  the ids whose lock is no longer this token's
  EVENTS  none
]]
local lost = {}
for at = 2, #ARGV, 2 do
  local id = ARGV[at]
  local lock = KEYS[1] .. id .. ':lock'
  if redis.call('GET', lock) == ARGV[at + 1] then
    redis.call('PEXPIRE', lock, ARGV[1])
    redis.call('SREM', KEYS[1] .. 'stalled', id)
  else
    lost[#lost + 1] = id
  end
end
return lost
