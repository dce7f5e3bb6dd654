-- include: lib/add.lua
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
  local fields = redis.pcall('HMGET', key, 'name', 'atm', 'priority', 'parentKey', 'parent', 'deid')
  if fields.err then return wrong_type(key, 'hash') end
  if not fields[1] then return GONE end
  local holder = redis.pcall('GET', key .. ':lock')
  if not holder then return NO_LOCK end
  if holder.err then return wrong_type(key .. ':lock', 'string') end
  if holder ~= outcome.token then return FOREIGN_LOCK end
  local refused = outcome.kind == 'complete' and refuse_children(key) or nil
  return refused, {key = key, attempts_made = tonumber(fields[2]) or 0, priority = tonumber(fields[3]) or 0,
    parent_key = fields[4], parent = fields[5], deduplication_id = fields[6]}
end

-- What came for a deduplication id while its owner was active is added now.
local function add_kept(queue, now, deduplication_id)
  local key = queue.base .. 'dn:' .. deduplication_id
  local kept = redis.call('HMGET', key, 'name', 'data', 'opts', 'jid', 'pk', 'pd', 'rjk')
  if not kept[1] then return end
  redis.call('DEL', key)
  local is_read, opts = pcall(cjson.decode, kept[3])
  if not is_read then opts = {} end
  redis.call('INCR', queue.base .. 'id')
  local job = {name = kept[1], data = kept[2], opts = kept[3], timestamp = now, delay = tonumber(opts.delay) or 0,
    priority = tonumber(opts.priority) or 0, lifo = opts.lifo, dedup = {id = deduplication_id},
    parent_key = kept[5] or nil, parent = kept[6] or nil, scheduler_id = kept[7] or nil}
  redis.call('SET', queue.base .. 'de:' .. deduplication_id, kept[4])
  store(queue, job, kept[4])
  if place(queue, job, kept[4]) then mark_work_unless_closed(queue) end
  if job.parent_key then redis.call('SADD', job.parent_key .. ':dependencies', queue.base .. kept[4]) end
end

local function tell_parent(now, job, outcome)
  local parent = read_parent(job.parent_key, job.parent)
  if not parent then return end
  if outcome.kind == 'complete' then
    child_completed(parent, job.key, outcome.value, now)
  else
    child_failed(parent, job.key, outcome.value, now)
  end
end

local function store_final(queue, now, job, outcome)
  local id, completes = outcome.id, outcome.kind == 'complete'
  if job.deduplication_id then
    release_deduplication(queue, job.deduplication_id, id, true)
    add_kept(queue, now, job.deduplication_id)
  end
  if job.parent_key then tell_parent(now, job, outcome) end
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
      redis.call('HDEL', job.key, 'defa')
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
