-- include: lib/queue.lua
-- include: lib/events.lua
-- include: lib/marker.lua

-- Jobs of one priority keep their order: the low 32 bits of the score are a counter of the queue.
local function add_prioritized(queue, id, priority)
  local order = redis.call('INCR', queue.base .. 'pc') % 4294967296
  redis.call('ZADD', queue.base .. 'prioritized', priority * 4294967296 + order, id)
end

-- To the end of its line, where a new or a retried job belongs.
local function add_to_end(queue, id, priority, lifo)
  if priority > 0 then
    add_prioritized(queue, id, priority)
  else
    redis.call(lifo and 'RPUSH' or 'LPUSH', queue.base .. 'wait', id)
  end
end

-- To the head of its line, where a job belongs that was taken but never ran.
local function add_to_head(queue, id, priority)
  if priority > 0 then
    redis.call('ZADD', queue.base .. 'prioritized', priority * 4294967296, id)
  else
    redis.call('RPUSH', queue.base .. 'wait', id)
  end
end

-- The low 12 bits of a delayed score keep the order of jobs that are due in the same millisecond.
local function add_delayed(queue, id, due_ms)
  local first = due_ms * 4096
  local last = redis.call('ZREVRANGEBYSCORE', queue.base .. 'delayed', first + 4095, first, 'WITHSCORES', 'LIMIT', 0, 1)
  local score = first
  if last[2] then score = math.min(tonumber(last[2]) + 1, first + 4095) end
  redis.call('ZADD', queue.base .. 'delayed', score, id)
  emit(queue, 'delayed', 'jobId', id, 'delay', due_ms)
  mark_next_delayed(queue)
end

-- Delayed jobs whose time has come join the end of their line; at most 1,000 a call, the rest with the next call.
local function promote_due(queue, now)
  local due = redis.call('ZRANGEBYSCORE', queue.base .. 'delayed', 0, (now + 1) * 4096 - 1, 'LIMIT', 0, 1000)
  if #due == 0 then return end
  redis.call('ZREM', queue.base .. 'delayed', unpack(due))
  for _, id in ipairs(due) do
    local key = queue.base .. id
    local priority = tonumber(redis.call('HGET', key, 'priority')) or 0
    add_to_end(queue, id, priority, false)
    emit(queue, 'waiting', 'jobId', id, 'prev', 'delayed')
    redis.call('HSET', key, 'delay', 0)
  end
  mark_work_unless_closed(queue)
end
