-- include: lib/enqueue.lua

-- Codes a caller must know, in place of an id.
local MISSING_PARENT, OTHER_PARENT, GROUP_FULL = -5, -7, -12

local function store(queue, job, id)
  local key = queue.base .. id
  redis.call('HSET', key, 'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', job.timestamp,
    'delay', job.delay, 'priority', job.priority)
  if job.parent_key then redis.call('HSET', key, 'parentKey', job.parent_key, 'parent', job.parent) end
  if job.dedup then redis.call('HSET', key, 'deid', job.dedup.id) end
  if job.scheduler_id then redis.call('HSET', key, 'rjk', job.scheduler_id) end
  emit(queue, 'added', 'jobId', id, 'name', job.name)
end

-- Returns whether a worker may take it now. With queue.together, a list, the caller puts the ids in it in line at its end.
local function place(queue, job, id)
  if job.waits_for_children then
    redis.call('ZADD', queue.base .. 'waiting-children', job.timestamp, id)
    emit(queue, 'waiting-children', 'jobId', id)
    return false
  end
  if job.delay > 0 then
    add_delayed(queue, id, job.timestamp + job.delay)
    return false
  end
  local together = queue.together
  if together and job.priority == 0 and not job.lifo then
    together[#together + 1] = id
  else
    add_to_end(queue, id, job.priority, job.lifo)
  end
  emit(queue, 'waiting', 'jobId', id)
  return true
end

-- Lua makes the functions of a script with each call, and most jobs need none of these.
local relations_made
local function new_relations()
  if relations_made then return relations_made end
  -- include within: lib/new_relations.lua
  relations_made = {keep_existing = keep_existing, deduplicate = deduplicate, join_group = join_group}
  return relations_made
end

-- Adds one job, or finds the one that stands for it.
-- job: id ('' for the next number), number (that, if the caller counted already), name, data, opts, timestamp (ms),
-- delay (ms), priority, lifo, and where they apply: parent_key, parent (JSON), waits_for_children, dedup,
-- scheduler_id, group {id, weight}.
-- Returns its id, or a code; and whether a worker may take it now.
local function add_job(queue, now, job)
  if job.parent_key and redis.call('EXISTS', job.parent_key) == 0 then return MISSING_PARENT, false end
  local number = job.number or redis.call('INCR', queue.base .. 'id')
  local id = job.id ~= '' and job.id or string.format('%.0f', number)
  if redis.call('EXISTS', queue.base .. id) == 1 then return new_relations().keep_existing(queue, now, job, id), false end
  if job.dedup then
    local owner = new_relations().deduplicate(queue, job, id)
    if owner then return owner, false end
  end
  if job.group then new_relations().join_group(queue, job, id) end
  store(queue, job, id)
  local is_waiting = place(queue, job, id)
  if job.parent_key then redis.call('SADD', job.parent_key .. ':dependencies', queue.base .. id) end
  return id, is_waiting
end

-- Fields per job in ARGV, as add_jobs and add_flow take them.
local JOB_FIELDS = 9

-- The job described from ARGV[at] on.
local function read_new_job(at, now)
  local job = {
    id = ARGV[at],
    name = ARGV[at + 1],
    data = ARGV[at + 2],
    opts = ARGV[at + 3],
    timestamp = ARGV[at + 4] == '' and now or tonumber(ARGV[at + 4]),
    delay = tonumber(ARGV[at + 5]),
    priority = tonumber(ARGV[at + 6]),
    lifo = ARGV[at + 7] == '1',
  }
  if ARGV[at + 8] ~= '' then
    for name, value in pairs(cjson.decode(ARGV[at + 8])) do job[name] = value end
  end
  return job
end

-- A new queue is made known to dashboards, which find queues by their `meta`.
local function make_known(queue, version)
  if not queue.known then
    redis.call('HSET', queue.base .. 'meta', 'opts.maxLenEvents', queue.max_events, 'version', version)
    queue.known = queue.max_events
  end
end
