-- How jobs change their place while others are fetched. Within fetch.lua, whose names it uses.

-- Delayed jobs that are due join the end of their line.
local function promote(queue, key, due)
  local wrong = wrong_type(queue.base .. 'wait', 'list') or wrong_type(queue.base .. 'prioritized', 'zset')
  if wrong then error({err = wrong}) end
  redis.call('ZREM', key, unpack(due))
  for _, id in ipairs(due) do
    add_to_end(queue, id, line_priority(queue, id), false)
    emit(queue, 'waiting', 'jobId', id, 'prev', 'delayed')
    redis.pcall('HSET', queue.base .. id, 'delay', 0)
  end
  mark_work_unless_closed(queue)
end

-- Ids that were popped but are not taken return to the head of their lines, in their old order.
local function put_back(queue, ids, first)
  for i = #ids, first, -1 do
    local id = ids[i]
    redis.call('LREM', queue.base .. 'active', 1, id)
    add_to_head(queue, id, priority_of(queue, id))
  end
end

-- Suspects that were popped go behind all others, which pass them.
local function put_behind(queue, ids, first)
  for i = first, #ids do
    redis.call('LREM', queue.base .. 'active', 1, ids[i])
    add_to_end(queue, ids[i], priority_of(queue, ids[i]), false)
  end
end
