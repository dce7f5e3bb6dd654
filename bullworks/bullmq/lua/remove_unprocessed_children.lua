--[[ remove_unprocessed_children: remove the jobs below a job that have not finished and that no worker runs.
  KEYS    1 base  the common prefix of the queue's keys; touched: as in remove_job, for each job removed
  ARGV    1 id    string  the job above
  RETURNS int     jobs removed
  EVENTS  removed, waiting (prev=waiting-children), delayed
]]
-- include: lib/now.lua
-- include: lib/remove_tree.lua
local nodes = {}
for i, node in ipairs(tree_of(KEYS[1], ARGV[1])) do
  local place = place_of(node.base, node.id)
  if i > 1 and place ~= 'completed' and place ~= 'failed' and place ~= 'active'
    and redis.call('EXISTS', node.base .. node.id .. ':lock') == 0 then
    nodes[#nodes + 1] = node
  end
end
remove_nodes(nodes, now_ms())
return #nodes
