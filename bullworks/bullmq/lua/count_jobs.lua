--[[ count_jobs: how many jobs there are in each of some states, all at the same moment.
  KEYS    1 base  the common prefix of the queue's keys; read: those of the states
  ARGV    1...    wait, paused, active, prioritized, delayed, completed, failed or waiting-children
  RETURNS list    a count for each
  EVENTS  none
]]
-- include: lib/key_types.lua
-- include: lib/window.lua
refuse_wrong_types(KEYS[1])
local counts = {}
for i, state in ipairs(ARGV) do
  counts[i] = redis.call(LISTS[state] and 'LLEN' or 'ZCARD', KEYS[1] .. state)
end
return counts
