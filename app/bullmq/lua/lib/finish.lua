-- include: lib/enqueue.lua
-- include: lib/hand_back.lua
-- include: lib/retention.lua
-- include: lib/wrong_type.lua

-- Codes a caller must know: 0 stored; -1 the job is gone; -2 no lock; -3 not active; -4 open children;
-- -6 another holds the lock; -9 failed children; a text: a key of the wrong type, named, and nothing was written.
local GONE, NO_LOCK, NOT_ACTIVE, OPEN_CHILDREN, FOREIGN_LOCK, FAILED_CHILDREN = -1, -2, -3, -4, -6, -9

local DESTINATIONS = {
  complete = {{'completed', 'zset'}},
  fail = {{'failed', 'zset'}},
  retry = {{'wait', 'list'}, {'prioritized', 'zset'}, {'pc', 'string'}, {'marker', 'zset'}},
  delay = {{'delayed', 'zset'}, {'marker', 'zset'}},
  hand_back = {{'wait', 'list'}, {'prioritized', 'zset'}, {'marker', 'zset'}},
}
DESTINATIONS.release = DESTINATIONS.hand_back

local function refuse_destination(queue, kind)
  for _, destination in ipairs(DESTINATIONS[kind]) do
    local wrong = wrong_type(queue.base .. destination[1], destination[2])
    if wrong then return wrong end
  end
  return wrong_type(queue.base .. 'events', 'stream') or wrong_type(queue.base .. 'active', 'list')
    or wrong_type(queue.base .. 'stalled', 'set')
end

local function refuse_children(key)
  if redis.call('EXISTS', key .. ':dependencies', key .. ':unsuccessful') == 0 then return nil end
  if redis.call('SCARD', key .. ':dependencies') > 0 then return OPEN_CHILDREN end
  if redis.call('ZCARD', key .. ':unsuccessful') > 0 then return FAILED_CHILDREN end
  return nil
end

-- Either the reason not to store the outcome, or nil and what the job's hash says. Writes nothing.
local function examine(queue, outcome)
  local key = queue.base .. outcome.id
  local wrong = refuse_destination(queue, outcome.kind)
  if wrong then return wrong end
  -- One read tells type and presence too: every job has a name.
  local fields = redis.pcall('HMGET', key, 'name', 'atm', 'priority')
  if fields.err then return wrong_type(key, 'hash') end
  if not fields[1] then return GONE end
  local holder = redis.pcall('GET', key .. ':lock')
  if not holder then return NO_LOCK end
  if holder.err then return wrong_type(key .. ':lock', 'string') end
  if holder ~= outcome.token then return FOREIGN_LOCK end
  local refused = outcome.kind == 'complete' and refuse_children(key) or nil
  return refused, {key = key, attempts_made = tonumber(fields[2]) or 0, priority = tonumber(fields[3]) or 0}
end

local function store_final(queue, now, job, outcome)
  local id, completes = outcome.id, outcome.kind == 'complete'
  local attempts_made, retention = job.attempts_made + 1, parse_retention(outcome.retention)
  if keeps_nothing(retention) then
    delete_job(queue.base, id)
  else
    redis.call('DEL', job.key .. ':lock')
    if completes then
      redis.call('HSET', job.key, 'atm', attempts_made, 'returnvalue', outcome.value, 'finishedOn', now)
    else
      redis.call('HSET', job.key, 'atm', attempts_made, 'failedReason', outcome.value, 'stacktrace', outcome.stack,
        'finishedOn', now)
    end
    local finished_key = queue.base .. (completes and 'completed' or 'failed')
    redis.call('ZADD', finished_key, now, id)
    apply_retention(queue.base, finished_key, now, retention)
  end
  if completes then
    emit(queue, 'completed', 'jobId', id, 'returnvalue', outcome.value, 'prev', 'active')
  else
    emit(queue, 'failed', 'jobId', id, 'failedReason', outcome.value, 'prev', 'active')
    if outcome.extra == '1' then emit(queue, 'retries-exhausted', 'jobId', id, 'attemptsMade', attempts_made) end
  end
end

-- Another attempt, at once (`retry`, extra = '1' for lifo) or later (`delay`, extra = ms).
local function store_retry(queue, now, job, outcome)
  local id = outcome.id
  redis.call('DEL', job.key .. ':lock')
  redis.call('HSET', job.key, 'atm', job.attempts_made + 1, 'failedReason', outcome.value, 'stacktrace', outcome.stack)
  if outcome.kind == 'delay' then
    redis.call('HSET', job.key, 'delay', outcome.extra)
    add_delayed(queue, id, now + outcome.extra)
  else
    add_to_end(queue, id, job.priority, outcome.extra == '1')
    emit(queue, 'waiting', 'jobId', id, 'prev', 'active')
    mark_work_unless_closed(queue)
  end
end

-- Stores one outcome, whole or not at all, and returns its code.
local function finish(queue, now, outcome)
  local refused, job = examine(queue, outcome)
  if refused then return refused end
  if redis.call('LREM', queue.base .. 'active', -1, outcome.id) == 0 then return NOT_ACTIVE end
  if queue.has_stalled == nil then queue.has_stalled = redis.call('EXISTS', queue.base .. 'stalled') == 1 end
  if queue.has_stalled then redis.call('SREM', queue.base .. 'stalled', outcome.id) end
  if outcome.kind == 'complete' or outcome.kind == 'fail' then
    store_final(queue, now, job, outcome)
  elseif outcome.kind == 'retry' or outcome.kind == 'delay' then
    store_retry(queue, now, job, outcome)
  else
    hand_back(queue, outcome.id, job.priority, outcome.kind == 'release')
    mark_work_unless_closed(queue)
  end
  return 0
end
