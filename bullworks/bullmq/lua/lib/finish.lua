-- include: lib/enqueue.lua
-- include: lib/kept.lua
-- include: lib/line_priority.lua
-- include: lib/number_of.lua
-- include: lib/priority_of.lua
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
local NAME, ATTEMPTS_MADE, PARENT_KEY, DEDUPLICATION_ID, GROUP, PARENT = 1, 2, 3, 4, 5, 6

-- What all outcomes of a call share. `doomed`: keys to delete once all are stored, in one command. `is_plain`: none of
-- these jobs has children, or a log, so nobody need ask for each.
local function read_batch(queue, first)
  local locks, relations, batch = {}, {}, {doomed = {}, size = 0, wrong = {}, active = queue.base .. 'active'}
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
    -- Mostly there is none of all these.
    local last = #relations
    relations[last + 1], relations[last + 2] = queue.base .. 'stalled', queue.base .. 'bw:groups'
    local found = redis.call('EXISTS', unpack(relations))
    batch.has_stalled = found > 0 and redis.call('EXISTS', queue.base .. 'stalled') == 1
    local others = found - (batch.has_stalled and 1 or 0)
    local has_groups = others > 0 and redis.call('EXISTS', queue.base .. 'bw:groups') == 1
    -- A field that is not there costs as much as one that is.
    batch.fields = {'name', 'atm', 'parentKey', 'deid', has_groups and 'gid' or nil}
    batch.is_plain = others == (has_groups and 1 or 0)
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

local function next_attempt(job)
  local made = job[ATTEMPTS_MADE]
  return made and whole((number_of(made) or 0) + 1) or '1'
end

-- Behind the traces of a failed attempt its telemetry may have put where that was, of which Node keeps a field too.
local function traces_of(key, stack)
  local feed = string.find(stack, '\n', 1, true)
  if not feed then return stack end
  redis.call('HSET', key, 'tm', string.sub(stack, feed + 1))
  return string.sub(stack, 1, feed - 1)
end

-- Lua makes the functions of a script with each call, and most calls need none of these.
local ends_made
local function other_ends()
  if ends_made then return ends_made end
  -- include within: lib/other_ends.lua
  ends_made = {
    refuse_place = refuse_place, refuse_to_wait = refuse_to_wait, refuse_to_suspend = refuse_to_suspend,
    refuse_relations = refuse_relations,
    tell_relations = tell_relations, child_removed = child_removed, delete_job = delete_job,
    apply_retention = apply_retention, tell_group = tell_group, store_retry = store_retry, store_move = store_move,
  }
  return ends_made
end

-- The text of the error where a key that such an outcome writes is of another type, else false. `finished`: the key in
-- which it keeps its job, if it does. Writes nothing.
local function refuse_keys(queue, batch, kind, finished)
  local wrong
  if finished then
    wrong = wrong_type(queue.base .. finished, 'zset')
  elseif kind ~= 'complete' and kind ~= 'fail' then
    wrong = other_ends().refuse_place(queue, kind)
  end
  return wrong or wrong_type(queue.base .. 'events', 'stream') or wrong_type(batch.active, 'list')
    or (batch.has_stalled and wrong_type(queue.base .. 'stalled', 'set'))
end

local FINISHED = {complete = 'completed', fail = 'failed'}

-- The key in which an outcome keeps its job: nil for one that removes it, or puts it elsewhere.
local function finished_key(at, kind)
  return FINISHED[kind] and not keeps_nothing(parse_retention(ARGV[at + RETENTION])) and FINISHED[kind] or nil
end

local function refuse_children(key)
  if redis.call('SCARD', key .. ':dependencies') > 0 then return OPEN_CHILDREN end
  if redis.call('ZCARD', key .. ':unsuccessful') > 0 then return FAILED_CHILDREN end
  return nil
end

-- Either the reason not to store the outcome, or nil and what the job's hash says. Writes nothing but that a wait is over.
local function examine(queue, batch, number, at, kind, key)
  local finished = finished_key(at, kind)
  local wrong = batch.wrong[finished or kind]
  if wrong == nil then
    wrong = refuse_keys(queue, batch, kind, finished)
    batch.wrong[finished or kind] = wrong
  end
  if wrong then return wrong end
  -- One read tells type and presence too: every job has a name.
  local job = redis.pcall('HMGET', key, unpack(batch.fields))
  if job.err then return wrong_type(key, 'hash') end
  if not job[NAME] then return GONE end
  local holder = batch.holders[number]
  -- MGET takes a key of another type for none.
  if not holder then return wrong_type(batch.locks[number], 'string') or NO_LOCK end
  if holder ~= ARGV[at + TOKEN] then return FOREIGN_LOCK end
  if kind == 'wait_for_children' then return other_ends().refuse_to_wait(key, ARGV[at + VALUE]), job end
  if kind == 'suspend' then return other_ends().refuse_to_suspend(key, at, tonumber(batch.now)), job end
  if job[PARENT_KEY] or job[DEDUPLICATION_ID] then
    wrong = other_ends().refuse_relations(queue, job, key)
    if wrong then return wrong end
  end
  if kind == 'complete' and not batch.is_plain then return refuse_children(key), job end
  return nil, job
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
  if retention.count or retention.age then
    other_ends().apply_retention(queue.base, finished_key, now, retention, completes)
  end
end

local function store_final(queue, batch, now, at, key, job, completes)
  local id, value = ARGV[at + ID], ARGV[at + VALUE]
  if job[DEDUPLICATION_ID] or job[PARENT] then
    other_ends().tell_relations(queue, batch, now, job, key, id, value, completes)
  end
  local retention = parse_retention(ARGV[at + RETENTION])
  local attempts_made = next_attempt(job)
  if not keeps_nothing(retention) then
    keep_finished(queue, batch, now, at, key, completes, attempts_made, retention)
  else
    -- A failed child that nobody can retry any more is not waited for.
    if job[PARENT] then other_ends().child_removed(job[PARENT], key, now) end
    if batch.is_plain then doom(batch, key) else other_ends().delete_job(queue.base, id) end
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

-- Stores one outcome and returns its code. An error may come out of it, half way.
local function store_outcome(queue, batch, now, number, at)
  local kind, id = ARGV[at], ARGV[at + ID]
  local key = queue.base .. id
  local refused, job = examine(queue, batch, number, at, kind, key)
  if refused then return refused end
  if redis.call('LREM', batch.active, '-1', id) == 0 then return NOT_ACTIVE end
  if batch.has_stalled then redis.call('SREM', queue.base .. 'stalled', id) end
  doom(batch, batch.locks[number])
  if job[GROUP] then other_ends().tell_group(queue, key, id, job[GROUP], kind) end
  if kind == 'complete' or kind == 'fail' then
    store_final(queue, batch, now, at, key, job, kind == 'complete')
  elseif kind == 'retry' or kind == 'delay' then
    other_ends().store_retry(queue, now, at, key, job, kind)
  else
    other_ends().store_move(queue, now, at, key, kind)
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
  batch.now = whole(now)
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
