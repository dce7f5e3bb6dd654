--[[ wake_groups: the first parked job of each group may be looked at again, since its limits have changed.
  KEYS    1 base  the common prefix of the queue's keys; touched: bw:*, delayed, prioritized, pc, wait, active, marker, meta,
                  events, and the jobs' hashes
  ARGV    1...    groups, 1,000 at most
  RETURNS int     0
  EVENTS  waiting (prev=delayed)
]]
-- include: lib/group_parked.lua
local queue = read_queue(KEYS[1])
for _, group in ipairs(ARGV) do wake_first(queue, group) end
return 0
