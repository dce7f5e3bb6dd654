--[[ count_priorities: how many waiting jobs there are of each of some priorities, all at the same moment.
  KEYS    1 base  the common prefix of the queue's keys; read: wait, paused, prioritized
  ARGV    1...    priorities, 0 for jobs without
  RETURNS list    a count for each
  EVENTS  none
]]
-- include: lib/key_types.lua
local base = KEYS[1]
refuse_wrong_types(base)
local counts = {}
for i, priority in ipairs(ARGV) do
  if priority == '0' then
    counts[i] = redis.call('LLEN', base .. 'wait') + redis.call('LLEN', base .. 'paused')
  else
    -- The scores of one priority end where those of the next begin.
    local first = string.format('%.0f', priority * 4294967296)
    counts[i] = redis.call('ZCOUNT', base .. 'prioritized', first, '(' .. string.format('%.0f', first + 4294967296))
  end
end
return counts
