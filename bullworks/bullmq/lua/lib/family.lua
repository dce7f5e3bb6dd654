-- include: lib/enqueue.lua
-- include: lib/line_priority.lua

-- The parent that a job's hash names. `parent` is JSON {id, queueKey, and how a failure of this child is taken: fpof
-- fails the parent, cpof continues it at once, idof ignores the failure, rdof forgets the child}.
local function read_parent(parent_key, parent_json)
  if not parent_key then return nil end
  local is_read, parent = pcall(cjson.decode, parent_json or '')
  if not is_read or type(parent) ~= 'table' or type(parent.queueKey) ~= 'string' then return nil end
  return {key = parent_key, id = tostring(parent.id), base = parent.queueKey .. ':', policy = parent}
end

-- The parent runs before all that wait, or joins those of its priority, or is delayed: as its own options say.
local function put_in_line(parent, now)
  local queue = read_queue(parent.base)
  local fields = redis.call('HMGET', parent.key, 'delay', 'priority', 'gid')
  local delay = tonumber(fields[1]) or 0
  if delay > 0 then
    redis.call('ZADD', parent.base .. 'delayed', (now + delay) * 4096, parent.id)
    emit(queue, 'delayed', 'jobId', parent.id, 'delay', now + delay)
    mark_next_delayed(queue)
    return
  end
  add_to_end(queue, parent.id, priority_in_line(queue, parent.id, fields[2], fields[3]), true)
  emit(queue, 'waiting', 'jobId', parent.id, 'prev', 'waiting-children')
  mark_work_unless_closed(queue)
end

local function release_parent(parent, now)
  if redis.call('ZREM', parent.base .. 'waiting-children', parent.id) == 1 then put_in_line(parent, now) end
end

-- Whoever takes the parent next fails it, with the reason of the child that failed last.
local function fail_parent(parent, now, reason)
  if redis.call('EXISTS', parent.key) == 0 then return end
  local waits = redis.call('ZREM', parent.base .. 'waiting-children', parent.id) == 1
  if not waits and redis.call('ZREM', parent.base .. 'delayed', parent.id) == 1 then
    redis.call('HSET', parent.key, 'delay', 0)
    waits = true
  end
  if waits or not redis.call('ZSCORE', parent.base .. 'failed', parent.id) then
    redis.call('HSET', parent.key, 'defa', reason)
  end
  if waits then put_in_line(parent, now) end
end

local function release_parent_if_alone(parent, now)
  if redis.call('SCARD', parent.key .. ':dependencies') == 0 then release_parent(parent, now) end
end

local function child_completed(parent, child_key, value, now)
  if redis.call('SREM', parent.key .. ':dependencies', child_key) == 0 then return end
  redis.call('HSET', parent.key .. ':processed', child_key, value)
  release_parent_if_alone(parent, now)
end

local function child_failed(parent, child_key, reason, now)
  local policy = parent.policy
  if not (policy.fpof or policy.cpof or policy.idof or policy.rdof) then return end
  if redis.call('SREM', parent.key .. ':dependencies', child_key) == 0 then return end
  if policy.fpof then
    redis.call('ZADD', parent.key .. ':unsuccessful', now, child_key)
    fail_parent(parent, now, 'child ' .. child_key .. ' failed')
  elseif policy.cpof then
    redis.call('HSET', parent.key .. ':failed', child_key, reason)
    release_parent(parent, now)
  else
    if policy.idof then redis.call('HSET', parent.key .. ':failed', child_key, reason) end
    release_parent_if_alone(parent, now)
  end
end

-- A child that had ended, in `state`, runs again, so its parent waits for it; one that went on meanwhile does so.
local function child_reprocessed(parent_key, child_key, state)
  if redis.call('EXISTS', parent_key) == 0 then return end
  local was_counted
  if state == 'completed' then
    was_counted = redis.call('HDEL', parent_key .. ':processed', child_key) == 1
  else
    was_counted = redis.call('ZREM', parent_key .. ':unsuccessful', child_key) == 1
      or redis.call('HDEL', parent_key .. ':failed', child_key) == 1
  end
  if was_counted then redis.call('SADD', parent_key .. ':dependencies', child_key) end
end

-- The child is no more: its parent does not wait for it.
local function child_removed(parent, child_key, now)
  if redis.call('SREM', parent.key .. ':dependencies', child_key) == 1 then release_parent_if_alone(parent, now) end
end
