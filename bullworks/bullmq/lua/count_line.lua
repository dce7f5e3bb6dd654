--[[ count_line: how many jobs are in line, or would be once those are whose time has come. Nothing is taken or moved.
  KEYS    1 base  the common prefix of the queue's keys; read: wait, prioritized, delayed
  ARGV    none
  RETURNS list    jobs; ms until the next delayed job is due, -1 there is none
  EVENTS  none
]]
-- include: lib/now.lua
local base, now = KEYS[1], now_ms()
local due = (now + 1) * 4096 - 1
local jobs = redis.call('LLEN', base .. 'wait') + redis.call('ZCARD', base .. 'prioritized')
  + redis.call('ZCOUNT', base .. 'delayed', 0, due)
local later = redis.call('ZRANGEBYSCORE', base .. 'delayed', '(' .. string.format('%.0f', due), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return {jobs, later[2] and math.max(math.floor(later[2] / 4096) - now, 0) or -1}
