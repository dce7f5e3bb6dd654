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
