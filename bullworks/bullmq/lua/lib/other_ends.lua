-- include: lib/family.lua
-- include: lib/deduplication.lua
-- include: lib/group_leave.lua
-- include: lib/line_priority.lua
-- include: lib/add.lua
-- include: lib/hand_back.lua
-- include: lib/retention.lua
-- include: lib/wrong_relation.lua

-- Ends of jobs that are more than plain: of a child, of the owner of a deduplication id; and outcomes that put a job
-- elsewhere. Within finish.lua, whose names it uses.

-- Where an outcome that does not end its job puts it, and what type that is.
local DELAYED = {'delayed', 'zset', 'marker', 'zset'}
local WAITING = {'wait', 'list', 'prioritized', 'zset', 'marker', 'zset', 'pc', 'string'}
local PLACES = {
  retry = WAITING, delay = DELAYED, postpone = DELAYED, suspend = DELAYED, hand_back = WAITING, release = WAITING,
  wait_for_children = {'waiting-children', 'zset'},
}

-- The text of the error where the key that the outcome puts its job into is of another type; nil: it is not.
local function refuse_place(queue, kind)
  local places = PLACES[kind]
  for i = 1, #places, 2 do
    local wrong = wrong_type(queue.base .. places[i], places[i + 1])
    if wrong then return wrong end
  end
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

-- A wait is over once its signal is there, or its time is up: then its mark says so, and no signal can come any more. A
-- sleep names no signal, and ends by being over.
local function refuse_to_suspend(key, at, now)
  local mark, signal = ARGV[at + VALUE], ARGV[at + RETENTION]
  if signal == '' then return nil end
  if redis.call('HEXISTS', key, signal) == 1 then return NOTHING_TO_WAIT_FOR end
  local number, until_ms = string.match(redis.call('HGET', key, mark) or '', '^(%d+) (%d+)$')
  if not until_ms or tonumber(until_ms) > now then return nil end
  redis.call('HSET', key, mark, number .. ' timeout')
  return NOTHING_TO_WAIT_FOR
end

-- Of the keys of others that the end of this job touches, one that is of another type; nil: none is.
local function refuse_relations(queue, job, key)
  job[PARENT] = read_parent(job[PARENT_KEY], redis.call('HGET', key, 'parent'))
  return wrong_relation(queue.base, job[DEDUPLICATION_ID], job[PARENT])
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

-- What the end of the job is for its deduplication id and its parent; done before the job goes.
local function tell_relations(queue, batch, now, job, key, id, value, completes)
  if job[DEDUPLICATION_ID] then
    release_deduplication(queue, job[DEDUPLICATION_ID], id)
    add_kept(queue, batch, now, job[DEDUPLICATION_ID])
  end
  if job[PARENT] then
    local tell = completes and child_completed or child_failed
    tell(job[PARENT], key, value, now)
  end
end

-- What the outcome is for the job's group.
local function tell_group(queue, key, id, group, kind)
  if kind == 'complete' or kind == 'fail' then return leave_group(queue, id, group) end
  pcall(free_slot, queue, id, group, false)
  -- Of a job that Node brings in line: rounds may have been moved down by then.
  if kind == 'delay' or kind == 'postpone' or kind == 'suspend' then redis.call('HSET', key, 'priority', 1) end
end

-- A job that was cancelled as its attempt ended waits for nothing any more: whoever takes it next fails it.
local function is_cancelled(key)
  return string.sub(redis.call('HGET', key, 'defa') or '', 1, 9) == 'cancelled'
end

-- Another attempt, at once (`retry`, extra = '1' for lifo) or later (`delay`, extra = ms).
local function store_retry(queue, now, at, key, job, kind)
  local id, extra = ARGV[at + ID], ARGV[at + EXTRA]
  redis.call('HSET', key, 'atm', next_attempt(job), 'failedReason', ARGV[at + VALUE], 'stacktrace',
    traces_of(key, ARGV[at + STACK]))
  if kind == 'delay' and not is_cancelled(key) then
    redis.call('HSET', key, 'delay', extra)
    add_delayed(queue, id, now + extra)
  else
    add_to_end(queue, id, line_priority(queue, id), kind == 'retry' and extra == '1')
    emit(queue, 'waiting', 'jobId', id, 'prev', 'active')
    mark_work_unless_closed(queue)
  end
end

-- The last ms whose score, with its order, is exact in a double: as long as a wait without a limit can last.
local LATEST_MS = 2199023255551

-- Marks the job as suspended, and returns until when, ms. One that was woken before its time, by Node's promote for one,
-- goes on as its mark has it.
local function mark_suspended(key, at, now)
  local mark, duration = ARGV[at + VALUE], ARGV[at + EXTRA]
  local found = redis.call('HGET', key, mark)
  if found then return tonumber(string.match(found, ' (%d+)$')) or LATEST_MS end
  local due = duration ~= '' and math.min(now + duration, LATEST_MS)
  redis.call('HSET', key, mark, ARGV[at + STACK] .. ' ' .. (due and whole(due) or 'never'))
  return due or LATEST_MS
end

-- Its handler, or whoever took it by hand, puts it elsewhere: no attempt is spent.
local function store_move(queue, now, at, key, kind)
  local id = ARGV[at + ID]
  if (kind == 'postpone' or kind == 'suspend') and not is_cancelled(key) then
    local due = kind == 'suspend' and mark_suspended(key, at, now) or ARGV[at + EXTRA]
    local delay = math.max(due - now, 0)
    redis.call('HSET', key, 'delay', whole(delay))
    add_delayed(queue, id, now + delay)
  elseif kind == 'wait_for_children' and not is_cancelled(key) then
    redis.call('ZADD', queue.base .. 'waiting-children', whole(now), id)
    emit(queue, 'waiting-children', 'jobId', id, 'prev', 'active')
  else
    hand_back(queue, id, priority_of(queue, id), kind == 'release')
    mark_work_unless_closed(queue)
  end
end
