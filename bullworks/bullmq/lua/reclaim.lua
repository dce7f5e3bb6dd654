--[[ reclaim: jobs of fetches whose reply was lost return to the head of their lines; nobody ever ran them.
  KEYS    1 base  the common prefix of the queue's keys; touched: active, stalled, wait, prioritized, marker, meta, events,
                  and the hashes and locks of active jobs
  ARGV    1...    the tokens of the lost fetches
  RETURNS list    the ids that were returned
  EVENTS  waiting (prev=active)
]]
-- include: lib/hand_back.lua
-- include: lib/priority_of.lua
local base = KEYS[1]
local queue = read_queue(base)
local lost = {}
for _, token in ipairs(ARGV) do lost[token] = true end
local returned = {}
-- Newest first, so that the oldest ends up nearest to the head.
for _, id in ipairs(redis.call('LRANGE', base .. 'active', 0, -1)) do
  local token = redis.pcall('GET', base .. id .. ':lock')
  if type(token) == 'string' and lost[token] then
    redis.call('LREM', base .. 'active', 1, id)
    redis.call('SREM', base .. 'stalled', id)
    hand_back(queue, id, priority_of(queue, id), true)
    returned[#returned + 1] = id
  end
end
if #returned > 0 then mark_work_unless_closed(queue) end
return returned
