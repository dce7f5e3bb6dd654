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
  for _, child in ipairs(redis.call('SMEMBERS', key .. ':dependencies')) do keys[#keys + 1] = child end
  for _, kind in ipairs({'processed', 'failed'}) do
    for _, child in ipairs(redis.call('HKEYS', key .. ':' .. kind)) do keys[#keys + 1] = child end
  end
  for _, child in ipairs(redis.call('ZRANGE', key .. ':unsuccessful', 0, -1)) do keys[#keys + 1] = child end
  return keys
end

-- The job and all below it that are still there, each before its children.
local function tree_of(base, id)
  local prefix = string.match(base, '^(.*):[^:]+:$')
  local nodes, seen = {{base = base, id = id}}, {[base .. id] = true}
  local at = 1
  while nodes[at] do
    local node = nodes[at]
    for _, key in ipairs(children_of(node.base .. node.id)) do
      if not seen[key] and redis.call('EXISTS', key) == 1 then
        seen[key] = true
        local child_base, child_id = split_key(prefix, key)
        nodes[#nodes + 1] = {base = child_base, id = child_id}
        if #nodes > MOST_IN_TREE then error({err = 'ERR more than ' .. MOST_IN_TREE .. ' jobs below ' .. base .. id}) end
      end
    end
    at = at + 1
  end
  return nodes
end

local function remove_one(node, now)
  local base, id = node.base, node.id
  take_leave(read_queue(base), now, id)
  local place = place_of(base, id)
  if place == 'wait' or place == 'paused' or place == 'active' then
    redis.call('LREM', base .. place, 1, id)
    redis.call('SREM', base .. 'stalled', id)
  elseif place then
    redis.call('ZREM', base .. place, id)
  end
  delete_job(base, id)
  emit(read_queue(base), 'removed', 'jobId', id, 'prev', place or 'unknown')
end

-- Children first, so that none is left without its parent.
local function remove_nodes(nodes, now)
  for i = #nodes, 1, -1 do remove_one(nodes[i], now) end
end
