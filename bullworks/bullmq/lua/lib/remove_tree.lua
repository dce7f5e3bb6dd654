-- include: lib/queue.lua
-- include: lib/events.lua
-- include: lib/leave.lua
-- include: lib/place.lua
-- include: lib/remove.lua
-- include: lib/scheduler.lua

-- Jobs in one call: a larger tree is refused, as Redis serves nobody else meanwhile.
local MOST_IN_TREE = 10000

-- `<prefix>:<queue>:` and the id of a job's key. A queue name holds no colon, an id may.
local function split_key(prefix, key)
  local name, id = string.match(string.sub(key, #prefix + 1), '^:([^:]+):(.+)$')
  if name and string.sub(key, 1, #prefix) == prefix then return prefix .. ':' .. name .. ':', id end
  return string.match(key, '^(.*:)([^:]+)$')
end

local function children_of(key)
  local keys = {}
  for _, kind in ipairs({'processed', 'failed'}) do
    for _, child in ipairs(redis.call('HKEYS', key .. ':' .. kind)) do keys[#keys + 1] = child end
  end
  for _, child in ipairs(redis.call('ZRANGE', key .. ':unsuccessful', 0, -1)) do keys[#keys + 1] = child end
  for _, child in ipairs(redis.call('SMEMBERS', key .. ':dependencies')) do keys[#keys + 1] = child end
  return keys
end

local function collect(nodes, seen, prefix, node)
  if #nodes == MOST_IN_TREE then
    error({err = 'ERR more than ' .. MOST_IN_TREE .. ' jobs below ' .. nodes[1].base .. nodes[1].id})
  end
  nodes[#nodes + 1] = node
  seen[node.base .. node.id] = true
  for _, key in ipairs(children_of(node.base .. node.id)) do
    if not seen[key] and redis.call('EXISTS', key) == 1 then
      local base, id = split_key(prefix, key)
      collect(nodes, seen, prefix, {base = base, id = id, depth = node.depth + 1})
    end
  end
end

-- The job and all below it that are still there, each before its children and after the jobs below its elder siblings.
local function tree_of(base, id)
  local nodes = {}
  collect(nodes, {}, string.match(base, '^(.*):[^:]+:$'), {base = base, id = id, depth = 0})
  return nodes
end

local function delete_node(node)
  local base, id = node.base, node.id
  local place = place_of(base, id)
  if place == 'wait' or place == 'paused' or place == 'active' then
    redis.call('LREM', base .. place, 1, id)
    redis.call('SREM', base .. 'stalled', id)
  elseif place then
    redis.call('ZREM', base .. place, id)
  end
  delete_job(base, id)
  if node.group then leave_group(read_queue(base), id, node.group) end
  emit(read_queue(base), 'removed', 'jobId', id, 'prev', place or 'unknown')
end

-- Each leaves its parent before the jobs below it go, and goes itself after them: none is left without its parent.
local function remove_nodes(nodes, now)
  local open = {}
  for _, node in ipairs(nodes) do
    while #open > 0 and (open[#open].depth or 0) >= (node.depth or 0) do delete_node(table.remove(open)) end
    node.group = take_leave(read_queue(node.base), now, node.id)
    open[#open + 1] = node
  end
  while #open > 0 do delete_node(table.remove(open)) end
end
