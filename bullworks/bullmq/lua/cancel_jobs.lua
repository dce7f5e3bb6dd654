--[[ cancel_jobs: end jobs that nobody runs, and have those that run stopped; with them the jobs below them.
  KEYS    1 base      the common prefix of the queue's keys; touched: every list and set of the queue, events, de:*,
                      bw:*, and all keys of the jobs; of children and parents, whose queues may be others, the same
  ARGV    1 reason    text, the job's failedReason
          2 removes   '1' to remove those that nobody runs; '' to keep them as failed
          3 children  '1' to cancel the jobs below them too
          4 keep_ms   ms  how long a request to a worker is kept
          5...        ids, 1 .. 100
  RETURNS list        a code for each id: 0 it has ended; 1 a worker runs it, and is asked to stop; 2 it had ended before;
                      -1 there is none; -8 a scheduler's pending iteration, which stays
  EVENTS  failed, removed, waiting (prev=waiting-children), delayed, cancel-requested (for npm workers)
]]
-- include: lib/now.lua
-- include: lib/key_types.lua
-- include: lib/remove_tree.lua
-- include: lib/retention.lua
-- include: lib/kept.lua
-- include: lib/wrong_relation.lua
local ENDED, ASKED, HAD_ENDED, GONE, SCHEDULED = 0, 1, 2, -1, -8
-- A worker that is away for longer reads of it when it renews the job's lock.
local MOST_REQUESTS = 10000
-- So many ids and tokens fit on Lua's stack.
local PAIRS_A_REQUEST = 1000
local base, reason, removes, now = KEYS[1], ARGV[1], ARGV[2] == '1', now_ms()

-- What the job's own options say of failed jobs; a worker's defaults are unknown here.
local function retention_of(opts)
  local is_read, decoded = pcall(cjson.decode, opts or '')
  local kept = is_read and type(decoded) == 'table' and decoded.removeOnFail
  if kept == true then return {count = 0} end
  if type(kept) == 'number' then return {count = kept >= 0 and kept or nil} end
  if type(kept) ~= 'table' then return {} end
  return {count = tonumber(kept.count), age = tonumber(kept.age), limit = tonumber(kept.limit)}
end

local function take_out(node, place)
  if place == 'wait' or place == 'paused' then
    redis.call('LREM', node.base .. place, 1, node.id)
  else
    redis.call('ZREM', node.base .. place, node.id)
  end
end

local function remove_unrun(queue, node, place)
  local group = take_leave(queue, now, node.id)
  take_out(node, place)
  delete_job(node.base, node.id)
  if group then leave_group(queue, node.id, group) end
  emit(queue, 'removed', 'jobId', node.id, 'prev', place)
end

-- As a worker would have failed it for good, but that no attempt is spent.
local function fail_unrun(queue, node, place)
  local key = node.base .. node.id
  local fields = redis.call('HMGET', key, 'parentKey', 'parent', 'deid', 'opts', 'gid')
  take_out(node, place)
  if fields[5] then leave_group(queue, node.id, fields[5]) end
  if fields[3] then release_deduplication(queue, fields[3], node.id) end
  local parent, retention = read_parent(fields[1], fields[2]), retention_of(fields[4])
  if parent then child_failed(parent, key, reason, now) end
  if keeps_nothing(retention) then
    if parent then child_removed(parent, key, now) end
    delete_job(node.base, node.id)
  else
    redis.call('HSET', key, 'failedReason', reason, 'finishedOn', now)
    redis.call('HDEL', key, 'defa')
    if place == 'delayed' then redis.call('HSET', key, 'delay', 0) end
    redis.call('ZADD', node.base .. 'failed', now, node.id)
    if retention.count or retention.age then apply_retention(node.base, node.base .. 'failed', now, retention, false) end
  end
  emit(queue, 'failed', 'jobId', node.id, 'failedReason', reason, 'prev', place == 'wait' and 'waiting' or place)
end

-- Whoever takes the job after the worker that has it fails it unrun, also a worker of npm: so it ends whatever becomes of
-- the request. `requests`: base -> worker's id -> ids and tokens.
local function ask(queue, node, requests)
  local key = node.base .. node.id
  redis.call('HSET', key, 'defa', reason)
  local token = redis.pcall('GET', key .. ':lock')
  local worker = type(token) == 'string' and string.match(token, '^[^:]+')
  if worker then
    local workers = requests[node.base] or {}
    local pairs_of = workers[worker] or {}
    pairs_of[#pairs_of + 1], pairs_of[#pairs_of + 2] = node.id, token
    workers[worker], requests[node.base] = pairs_of, workers
  end
  emit(queue, 'cancel-requested', 'jobId', node.id, 'reason', reason)
end

local function send(requests)
  for queue_base, workers in pairs(requests) do
    local key = queue_base .. 'bw:cancels'
    for worker, pairs_of in pairs(workers) do
      for from = 1, #pairs_of, 2 * PAIRS_A_REQUEST do
        redis.call('XADD', key, 'MAXLEN', '~', MOST_REQUESTS, '*', 'worker', worker, 'reason', reason,
          unpack(pairs_of, from, math.min(from + 2 * PAIRS_A_REQUEST - 1, #pairs_of)))
      end
    end
    redis.call('PEXPIRE', key, ARGV[4])
  end
end

-- Fails where a key that the job's end touches is of another type: one of its queue, of its deduplication id, or of its
-- parent.
local function refuse_wrong_types_around(node)
  refuse_wrong_type(node.base .. 'bw:cancels', 'stream')
  if node.base ~= base then refuse_wrong_types(node.base) end
  local key = node.base .. node.id
  refuse_wrong_type(key, 'hash')
  local fields = redis.call('HMGET', key, 'deid', 'parentKey', 'parent')
  local wrong = wrong_relation(node.base, fields[1], read_parent(fields[2], fields[3]))
  if wrong then error({err = wrong}) end
end

-- Looks at the types of all keys before the first job is changed.
local function read_trees()
  local trees = {}
  refuse_wrong_types(base)
  for at = 5, #ARGV do
    local id = ARGV[at]
    refuse_wrong_type(base .. id, 'hash')
    if redis.call('EXISTS', base .. id) == 0 then
      trees[#trees + 1] = {}
    else
      trees[#trees + 1] = ARGV[3] == '1' and tree_of(base, id) or {{base = base, id = id}}
    end
    for _, node in ipairs(trees[#trees]) do refuse_wrong_types_around(node) end
  end
  return trees
end

local queues, codes_by_key, active = {}, {}, {}
local function cancel(node)
  local key = node.base .. node.id
  if codes_by_key[key] then return codes_by_key[key] end
  local place, code = place_of(node.base, node.id), ENDED
  queues[node.base] = queues[node.base] or read_queue(node.base)
  if not place then
    code = GONE
  elseif place == 'completed' or place == 'failed' then
    code = HAD_ENDED
  elseif place == 'active' then
    active[#active + 1], code = node, ASKED
  elseif is_pending_iteration(node.base, node.id) then
    code = SCHEDULED
  elseif removes then
    remove_unrun(queues[node.base], node, place)
  else
    fail_unrun(queues[node.base], node, place)
  end
  codes_by_key[key] = code
  return code
end

local codes, requests = {}, {}
for number, nodes in ipairs(read_trees()) do
  codes[number] = GONE
  -- A parent goes before its children, which then neither release nor fail it.
  for i, node in ipairs(nodes) do
    local code = cancel(node)
    if i == 1 then codes[number] = code end
  end
end
-- Last: a child that has ended may have written its own reason.
for _, node in ipairs(active) do ask(queues[node.base], node, requests) end
send(requests)
return codes
