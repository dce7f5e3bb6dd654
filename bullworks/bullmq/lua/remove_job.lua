--[[ remove_job: remove a job, wherever it is, unless a worker runs it or a scheduler needs it.
  KEYS    1 base       the common prefix of the queue's keys; touched: every list and set of the queue, events, de:*, bw:*, and all
                       keys of the job; of children and parent, whose queues may be others, the same
  ARGV    1 id         string
          2 children   '1' to remove the jobs below it too
          3 state      completed or failed, where it must be; '' for anywhere
  RETURNS int          0 removed; -1 there is none; -3 it is not in that state; -8 a scheduler's pending iteration; -10 a
                       worker holds its lock, or that of a job below it
  EVENTS  removed, waiting (prev=waiting-children), delayed
]]
-- include: lib/now.lua
-- include: lib/key_types.lua
-- include: lib/remove_tree.lua
local GONE, OTHER_STATE, SCHEDULED, LOCKED = -1, -3, -8, -10
local base, id = KEYS[1], ARGV[1]
refuse_wrong_types(base)
refuse_wrong_type(base .. id, 'hash')
if redis.call('EXISTS', base .. id) == 0 then return GONE end
if ARGV[3] ~= '' and not redis.call('ZSCORE', base .. ARGV[3], id) then return OTHER_STATE end
local nodes = ARGV[2] == '1' and tree_of(base, id) or {{base = base, id = id}}
for _, node in ipairs(nodes) do
  if redis.call('EXISTS', node.base .. node.id .. ':lock') == 1 then return LOCKED end
  if is_pending_iteration(node.base, node.id) then return SCHEDULED end
end
remove_nodes(nodes, now_ms())
return 0
