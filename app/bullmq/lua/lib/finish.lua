-- include: lib/add.lua
-- include: lib/hand_back.lua
-- include: lib/retention.lua
-- include: lib/whole.lua
-- include: lib/wrong_type.lua

-- Codes a caller must know: 0 stored; -1 the job is gone; -2 no lock; -3 not active; -4 open children;
-- -6 another holds the lock; -9 failed children; 1 nothing to wait for; a text: a key of the wrong type, named.
local GONE, NO_LOCK, NOT_ACTIVE, OPEN_CHILDREN, FOREIGN_LOCK, FAILED_CHILDREN = -1, -2, -3, -4, -6, -9
local NOTHING_TO_WAIT_FOR = 1

-- An outcome is named by the place of its first argument; a table for each would cost more than all it is read for.
local OUTCOME_FIELDS = 7
local ID, TOKEN, VALUE, RETENTION, STACK, EXTRA = 1, 2, 3, 4, 5, 6

-- What is read of a job, by place. All that an ordinary end needs; the rest is read where it is needed.
local NAME, ATTEMPTS_MADE, PARENT_KEY, DEDUPLICATION_ID, PARENT = 1, 2, 3, 4, 5

-- Where an outcome puts its job, and what type that is. Flat, since tables are made with each call.
local DELAYED = {'delayed', 'zset', 'marker', 'zset'}
local WAITING = {'wait', 'list', 'prioritized', 'zset', 'marker', 'zset', 'pc', 'string'}
local DESTINATIONS = {
  complete = {'completed', 'zset'}, fail = {'failed', 'zset'}, retry = WAITING, delay = DELAYED, postpone = DELAYED,
  hand_back = WAITING, release = WAITING, wait_for_children = {'waiting-children', 'zset'},
}

-- What all outcomes of a call share. `doomed`: keys to delete once all are stored, in one command. `is_plain`: none of
-- these jobs has children, or a log, so nobody need ask for each.
local function read_batch(queue, first)
  local locks, relations, batch = {}, {}, {doomed = {}, size = 0, destinations = {}}
  for at = first, #ARGV, OUTCOME_FIELDS do
    local key, last = queue.base .. ARGV[at + ID], #relations
    locks[#locks + 1] = key .. ':lock'
    relations[last + 1], relations[last + 2] = key .. ':dependencies', key .. ':unsuccessful'
    relations[last + 3], relations[last + 4] = key .. ':processed', key .. ':failed'
    relations[last + 5] = key .. ':logs'
  end
  batch.locks = locks
  if #locks > 0 then
    batch.holders = redis.call('MGET', unpack(locks))
    batch.is_plain = redis.call('EXISTS', unpack(relations)) == 0
    batch.has_stalled = redis.call('EXISTS', queue.base .. 'stalled') == 1
  end
  return batch
end

local function doom(batch, key)
  local size = batch.size + 1
  batch.doomed[size], batch.size = key, size
end

local function delete_doomed(batch)
  for from = 1, batch.size, 5000 do
    redis.call('DEL', unpack(batch.doomed, from, math.min(from + 4999, batch.size)))
  end
end

local function refuse_destination(queue, kind)
  local destinations = DESTINATIONS[kind]
  for i = 1, #destinations, 2 do
    local wrong = wrong_type(queue.base .. destinations[i], destinations[i + 1])
    if wrong then return wrong end
  end
  return wrong_type(queue.base .. 'events', 'stream') or wrong_type(queue.base .. 'active', 'list')
    or wrong_type(queue.base .. 'stalled', 'set')
end

local function refuse_children(key)
  if redis.call('SCARD', key .. ':dependencies') > 0 then return OPEN_CHILDREN end
  if redis.call('ZCARD', key .. ':unsuccessful') > 0 then return FAILED_CHILDREN end
  return nil
end

-- `child`: the key of the one to wait for, '' for all.
local function refuse_to_wait(key, child)
  if redis.call('ZCARD', key .. ':unsuccessful') > 0 then return FAILED_CHILDREN end
  local is_open
  if child == '' then
    is_open = redis.call('SCARD', key .. ':dependencies') > 0
  else
    is_open = redis.call('SISMEMBER', key .. ':dependencies', child) == 1
  end
  return not is_open and NOTHING_TO_WAIT_FOR or nil
end

-- Of the keys of others that the end of this job touches, one that is of another type; nil: none is.
local function refuse_relations(queue, job)
  local deduplication_id, parent = job[DEDUPLICATION_ID], job[PARENT]
  local wrong = deduplication_id and (wrong_type(queue.base .. 'de:' .. deduplication_id, 'string')
    or wrong_type(queue.base .. 'dn:' .. deduplication_id, 'hash'))
  if wrong then return wrong end
  if not parent then return nil end
  local family = {dependencies = 'set', processed = 'hash', failed = 'hash', unsuccessful = 'zset'}
  local places = {['waiting-children'] = 'zset', wait = 'list', prioritized = 'zset', pc = 'string',
    delayed = 'zset', failed = 'zset', marker = 'zset', events = 'stream'}
  wrong = wrong_type(parent.key, 'hash')
  for suffix, expected in pairs(family) do wrong = wrong or wrong_type(parent.key .. ':' .. suffix, expected) end
  for suffix, expected in pairs(places) do wrong = wrong or wrong_type(parent.base .. suffix, expected) end
  return wrong or nil
end

-- Either the reason not to store the outcome, or nil and what the job's hash says. Writes nothing.
local function examine(queue, batch, number, at, kind, key)
  local wrong = batch.destinations[kind]
  if wrong == nil then
    wrong = refuse_destination(queue, kind)
    batch.destinations[kind] = wrong
  end
  if wrong then return wrong end
  -- One read tells type and presence too: every job has a name.
  local job = redis.pcall('HMGET', key, 'name', 'atm', 'parentKey', 'deid')
  if job.err then return wrong_type(key, 'hash') end
  if not job[NAME] then return GONE end
  local holder = batch.holders[number]
  -- MGET takes a key of another type for none.
  if not holder then return wrong_type(batch.locks[number], 'string') or NO_LOCK end
  if holder ~= ARGV[at + TOKEN] then return FOREIGN_LOCK end
  if kind == 'wait_for_children' then return refuse_to_wait(key, ARGV[at + VALUE]), job end
  if job[PARENT_KEY] or job[DEDUPLICATION_ID] then
    job[PARENT] = read_parent(job[PARENT_KEY], redis.call('HGET', key, 'parent'))
    wrong = refuse_relations(queue, job)
    if wrong then return wrong end
  end
  if kind == 'complete' and not batch.is_plain then return refuse_children(key), job end
  return nil, job
end

-- What came for a deduplication id while its owner was active is added now.
local function add_kept(queue, batch, now, deduplication_id)
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
  if job.parent_key then
    redis.call('SADD', job.parent_key .. ':dependencies', queue.base .. kept[4])
    -- That parent may be one of these jobs.
    batch.is_plain = false
  end
end

local function next_attempt(job)
  return job[ATTEMPTS_MADE] and whole(job[ATTEMPTS_MADE] + 1) or '1'
end

-- Behind the traces of a failed attempt its telemetry may have put where that was, of which Node keeps a field too.
local function traces_of(key, stack)
  local feed = string.find(stack, '\n', 1, true)
  if not feed then return stack end
  redis.call('HSET', key, 'tm', string.sub(stack, feed + 1))
  return string.sub(stack, 1, feed - 1)
end

local function keep_finished(queue, batch, now, at, key, completes, attempts_made, retention)
  local value, text = ARGV[at + VALUE], batch.now
  if completes then
    redis.call('HSET', key, 'atm', attempts_made, 'returnvalue', value, 'finishedOn', text)
  else
    redis.call('HSET', key, 'atm', attempts_made, 'failedReason', value, 'stacktrace',
      traces_of(key, ARGV[at + STACK]), 'finishedOn', text)
    redis.call('HDEL', key, 'defa')
  end
  local finished_key = queue.base .. (completes and 'completed' or 'failed')
  redis.call('ZADD', finished_key, text, ARGV[at + ID])
  apply_retention(queue.base, finished_key, now, retention, completes)
end

local function store_final(queue, batch, now, at, key, job, completes)
  local id, value = ARGV[at + ID], ARGV[at + VALUE]
  if job[DEDUPLICATION_ID] then
    release_deduplication(queue, job[DEDUPLICATION_ID], id)
    add_kept(queue, batch, now, job[DEDUPLICATION_ID])
  end
  if job[PARENT] then
    local tell = completes and child_completed or child_failed
    tell(job[PARENT], key, value, now)
  end
  local retention = parse_retention(ARGV[at + RETENTION])
  local attempts_made = next_attempt(job)
  if not keeps_nothing(retention) then
    keep_finished(queue, batch, now, at, key, completes, attempts_made, retention)
  else
    -- A failed child that nobody can retry any more is not waited for.
    if job[PARENT] then child_removed(job[PARENT], key, now) end
    if batch.is_plain then doom(batch, key) else delete_job(queue.base, id) end
  end
  if completes then
    emit(queue, 'completed', 'jobId', id, 'returnvalue', value, 'prev', 'active')
    batch.completed = (batch.completed or 0) + 1
  else
    emit(queue, 'failed', 'jobId', id, 'failedReason', value, 'prev', 'active')
    if ARGV[at + EXTRA] == '1' then emit(queue, 'retries-exhausted', 'jobId', id, 'attemptsMade', attempts_made) end
    batch.failed = (batch.failed or 0) + 1
  end
end

local function priority_of(key)
  return tonumber(redis.call('HGET', key, 'priority')) or 0
end

-- Another attempt, at once (`retry`, extra = '1' for lifo) or later (`delay`, extra = ms).
local function store_retry(queue, now, at, key, job, kind)
  local id, extra = ARGV[at + ID], ARGV[at + EXTRA]
  redis.call('HSET', key, 'atm', next_attempt(job), 'failedReason', ARGV[at + VALUE], 'stacktrace',
    traces_of(key, ARGV[at + STACK]))
  if kind == 'delay' then
    redis.call('HSET', key, 'delay', extra)
    add_delayed(queue, id, now + extra)
  else
    add_to_end(queue, id, priority_of(key), extra == '1')
    emit(queue, 'waiting', 'jobId', id, 'prev', 'active')
    mark_work_unless_closed(queue)
  end
end

-- Its handler, or whoever took it by hand, puts it elsewhere: no attempt is spent.
local function store_move(queue, now, at, key, kind)
  local id = ARGV[at + ID]
  if kind == 'postpone' then
    local delay = math.max(ARGV[at + EXTRA] - now, 0)
    redis.call('HSET', key, 'delay', whole(delay))
    add_delayed(queue, id, now + delay)
  elseif kind == 'wait_for_children' then
    redis.call('ZADD', queue.base .. 'waiting-children', whole(now), id)
    emit(queue, 'waiting-children', 'jobId', id, 'prev', 'active')
  else
    hand_back(queue, id, priority_of(key), kind == 'release')
    mark_work_unless_closed(queue)
  end
end

-- Stores one outcome and returns its code. An error may come out of it, half way.
local function store_outcome(queue, batch, now, number, at)
  local kind, id = ARGV[at], ARGV[at + ID]
  local key = queue.base .. id
  local refused, job = examine(queue, batch, number, at, kind, key)
  if refused then return refused end
  if redis.call('LREM', batch.active, '-1', id) == 0 then return NOT_ACTIVE end
  if batch.has_stalled then redis.call('SREM', queue.base .. 'stalled', id) end
  doom(batch, batch.locks[number])
  if kind == 'complete' or kind == 'fail' then
    store_final(queue, batch, now, at, key, job, kind == 'complete')
  elseif kind == 'retry' or kind == 'delay' then
    store_retry(queue, now, at, key, job, kind)
  else
    store_move(queue, now, at, key, kind)
  end
  return 0
end

-- An error past the first write, which the looks at types should have prevented: the job is active again, with its
-- lock, so that its outcome is stored with a later try.
local function reactivate(queue, batch, number, at, size)
  if not redis.call('LPOS', batch.active, ARGV[at + ID]) then redis.call('RPUSH', batch.active, ARGV[at + ID]) end
  batch.size = size
end

local function text_of(problem)
  return type(problem) == 'table' and problem.err or tostring(problem)
end

-- Stores the outcomes from ARGV[first] on; returns a code for each, and the batch.
local function finish(queue, now, first)
  local batch, codes = read_batch(queue, first), {}
  batch.now, batch.active = whole(now), queue.base .. 'active'
  for number = 1, #batch.locks do
    local at, size = first + (number - 1) * OUTCOME_FIELDS, batch.size
    local is_done, code = pcall(store_outcome, queue, batch, now, number, at)
    if not is_done then
      reactivate(queue, batch, number, at, size)
      code = text_of(code)
    end
    codes[number] = code
  end
  delete_doomed(batch)
  return codes, batch
end
