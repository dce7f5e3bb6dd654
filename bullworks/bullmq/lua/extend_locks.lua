--[[ extend_locks: keep a worker's jobs its own for another lock duration.
  KEYS    1 base  the common prefix of the queue's keys; touched: the locks and hashes of the ids, stalled, and
                active, which is read
  ARGV    1 lock_ms     ms
          2 takes_back  '1': a lock that ran out is taken back where its job is still active and nobody's; '' where it is
                        lost then
          3...          id, token for each job
  RETURNS list  the ids whose lock is no longer this token's; id, reason for each of the others that was cancelled
  EVENTS  none
]]
local active
local function is_active(id)
  if not active then
    active = {}
    for _, other in ipairs(redis.call('LRANGE', KEYS[1] .. 'active', 0, -1)) do active[other] = true end
  end
  return active[id]
end
-- Whoever was to be told of it may not have been.
local cancelled = {}
local function look_for_cancel(id)
  local reason = redis.pcall('HGET', KEYS[1] .. id, 'defa')
  if type(reason) == 'string' and string.sub(reason, 1, 9) == 'cancelled' then
    cancelled[#cancelled + 1], cancelled[#cancelled + 2] = id, reason
  end
end
local lost = {}
for at = 3, #ARGV, 2 do
  local id, token = ARGV[at], ARGV[at + 1]
  local lock = KEYS[1] .. id .. ':lock'
  local holder = redis.pcall('GET', lock)
  if holder == token then
    redis.call('PEXPIRE', lock, ARGV[1])
    redis.call('SREM', KEYS[1] .. 'stalled', id)
    look_for_cancel(id)
  elseif not holder and ARGV[2] == '1' and is_active(id) and redis.call('EXISTS', KEYS[1] .. id) == 1 then
    redis.call('SET', lock, token, 'PX', ARGV[1])
    redis.call('SREM', KEYS[1] .. 'stalled', id)
  else
    lost[#lost + 1] = id
  end
end
return {lost, cancelled}
