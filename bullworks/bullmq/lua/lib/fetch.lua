-- include: lib/enqueue.lua
-- include: lib/line_priority.lua
-- include: lib/number_of.lua
-- include: lib/priority_of.lua
-- include: lib/whole.lua
-- include: lib/wrong_type.lua

-- How many jobs may be taken now, why not more, and for how long that holds.
-- Nothing else runs while a script does, so a limit read once is the limit before each single pop.
local OPEN, PAUSED, FULL, LIMITED, SUSPECT = 0, 1, 2, 3, 4

-- A job with so many stalls is a suspect: it may be what killed its workers, and runs alone. The first rerun is not, since
-- mostly the worker was to blame.
local SUSPECT_STALLS = 2
-- So many suspects are passed in one call.
local MOST_ASIDE = 50

-- Of a limit that names no duration, and between looks at one whose key has no expiry.
local LIMIT_MS = 1000

-- What a command answered that may meet a key of another type: an error names that key.
local function answered(reply, key, expected)
  if type(reply) == 'table' and reply.err then error({err = wrong_type(key, expected) or reply.err}) end
  return reply
end

-- Once an id is popped an error would lose it, so the types of what is written then are looked at first. `delayed`,
-- `limiter`, `wait` and `prioritized` tell theirs by themselves, before anything is popped.
local function refuse_types(queue)
  local wrong = wrong_type(queue.base .. 'active', 'list') or wrong_type(queue.base .. 'marker', 'zset')
    or wrong_type(queue.base .. 'events', 'stream')
  if wrong then error({err = wrong}) end
end

-- Lua makes the functions of a script with each call, and most calls need none of these.
local moves_made
local function moves()
  if moves_made then return moves_made end
  -- include within: lib/moves.lua
  moves_made = {promote = promote, put_back = put_back, put_behind = put_behind}
  return moves_made
end

-- Delayed jobs whose time has come join the end of their line; at most 1,000 a call, the rest with the next call.
local function promote_due(queue, now)
  local key = queue.base .. 'delayed'
  local due = answered(redis.pcall('ZRANGEBYSCORE', key, 0, (now + 1) * 4096 - 1, 'LIMIT', 0, 1000), key, 'zset')
  if #due > 0 then moves().promote(queue, key, due) end
end

local function limit_duration(queue, options)
  return options.limiter_duration or queue.duration or LIMIT_MS
end

local function allowance(queue, options)
  if queue.paused then return 0, PAUSED, -1 end
  local allowed, state, wait_ms = options.want, OPEN, -1
  if queue.concurrency then
    local room = queue.concurrency - redis.call('LLEN', queue.base .. 'active')
    -- Also where there is just enough: the fleet is full then.
    if room <= allowed then allowed, state = math.max(room, 0), FULL end
  end
  -- A manual rate limit is a huge count in the same key, whether or not the worker has a limiter.
  local max = queue.max or options.limiter_max
  local used = tonumber(answered(redis.pcall('GET', queue.base .. 'limiter'), queue.base .. 'limiter', 'string'))
  if used and (max or used >= 9007199254740991) then
    local room = (max or 0) - used
    if room < allowed then
      allowed, state, wait_ms = math.max(room, 0), LIMITED, redis.call('PTTL', queue.base .. 'limiter')
      if wait_ms < 0 then wait_ms = LIMIT_MS end
    end
  elseif max and max < allowed then
    allowed, state, wait_ms = max, LIMITED, limit_duration(queue, options)
  end
  return allowed, state, wait_ms
end

local function count_against_limiter(queue, options, count)
  if count == 0 or not (queue.max or options.limiter_max) then return end
  local key = queue.base .. 'limiter'
  if redis.call('INCRBY', key, count) == count then
    redis.call('PEXPIRE', key, limit_duration(queue, options))
  end
end

-- Up to `count` ids, moved to `active`: first those of `wait`, then by priority.
local function pop(queue, count)
  local ids = answered(redis.pcall('RPOP', queue.base .. 'wait', count), queue.base .. 'wait', 'list') or {}
  if #ids < count then
    local prioritized = redis.pcall('ZPOPMIN', queue.base .. 'prioritized', count - #ids)
    -- Those of `wait` are taken all the same: the next fetch, which finds none there, tells.
    if prioritized.err and #ids > 0 then prioritized = {} end
    answered(prioritized, queue.base .. 'prioritized', 'zset')
    if #prioritized == 0 then redis.call('DEL', queue.base .. 'pc') end
    for i = 1, #prioritized, 2 do ids[#ids + 1] = prioritized[i] end
  end
  if #ids > 0 then redis.call('LPUSH', queue.base .. 'active', unpack(ids)) end
  return ids
end

-- What the options say that concerns a fetch: whether Node added the job to a group, and whether it may expire. Asked of
-- each text once, since jobs mostly share theirs.
local read_opts, names_group, names_expiry
local function read_options(opts)
  if opts ~= read_opts then
    read_opts = opts
    names_group = opts and string.find(opts, '"group":{', 1, true) and true
    names_expiry = opts and string.find(opts, '"expires"', 1, true)
  end
  return names_group, names_expiry
end

-- Lua makes the functions of a script with each call, and few jobs have the option.
local function has_expired(hash, opts, now)
  -- include within: lib/expiry.lua
  return is_past_expiry(hash, opts, now)
end

-- What lies under a job's id, and of it what a fetch must know: the attempts started, how often it stalled, whether it
-- is to be failed unrun, and its group, true where its options alone name one. nil where that is no job.
local function read_job(key, now)
  local hash = redis.pcall('HGETALL', key)
  if hash.err then return nil end
  local is_job, attempts_started, stalled, deferred, group, opts
  for i = 1, #hash, 2 do
    local field = hash[i]
    if field == 'name' then
      is_job = true
    elseif field == 'ats' then
      attempts_started = hash[i + 1]
    elseif field == 'stc' then
      stalled = number_of(hash[i + 1])
    elseif field == 'defa' then
      deferred = true
    elseif field == 'gid' then
      group = hash[i + 1]
    elseif field == 'opts' then
      opts = hash[i + 1]
    end
  end
  if not is_job then return nil end
  local is_in_group, may_expire = read_options(opts)
  if may_expire and not deferred then deferred = has_expired(hash, opts, now) end
  return hash, attempts_started, stalled or 0, deferred, group or is_in_group
end

-- Lua makes the functions of a script with each call, and few jobs have a group.
local gate_made
local function gate()
  if gate_made then return gate_made end
  -- include within: lib/group_gate.lua
  gate_made = {passes = passes}
  return gate_made
end

-- Takes the job for this worker; its hash gains the fields that this writes. `now` is a text. `beside`: it has stalled, and
-- others run beside it.
local function take(queue, now, options, id, key, hash, attempts_started, beside)
  local started = '1'
  if attempts_started then
    -- Where that is no number it stays, and the worker fails the job for it.
    local number = number_of(attempts_started)
    started = number and whole(number + 1) or attempts_started
  end
  redis.call('SET', key .. ':lock', options.token, 'PX', options.lock_ms)
  local at = #hash
  hash[at + 1], hash[at + 2], hash[at + 3], hash[at + 4] = 'processedOn', now, 'ats', started
  if options.worker_name == '' then
    redis.call('HSET', key, 'processedOn', now, 'ats', started)
  else
    redis.call('HSET', key, 'processedOn', now, 'ats', started, 'pb', options.worker_name)
    hash[at + 5], hash[at + 6] = 'pb', options.worker_name
  end
  if beside then redis.call('HSET', key, 'beside', started) end
  emit(queue, 'active', 'jobId', id, 'prev', 'waiting')
end

-- Takes jobs for one worker.
-- options: want, token, lock_ms, worker_name, limiter_max, limiter_duration, isolates (suspects run alone), holds (jobs
-- the worker has already), is_overdue (it has passed suspects for long enough, and is to take one next).
-- Returns a list {id, hash, id, hash ...}, the state, and ms: until the limit ends (LIMITED) or the next delayed job is
-- due (else); -1 unknown. A hash ends with the fields that this fetch wrote, once more.
local function fetch(queue, now, options)
  local jobs, taken, counted, seen = {}, 0, 0, 0
  if options.want == 0 then return jobs, OPEN, -1 end
  refuse_types(queue)
  promote_due(queue, now)
  local allowed, state, wait_ms = allowance(queue, options)
  local text, aside, met, held_back = whole(now), {}, 0, 0
  -- Whether a job is to be taken now: one of a group may have to wait for its turn, and is elsewhere then.
  local function may_take(id, deferred, group)
    if deferred or not group then return true end
    if gate().passes(queue, now, id, group) then return true end
    held_back = held_back + 1
    return false
  end
  local function take_it(id, key, hash, attempts_started, deferred, beside)
    take(queue, text, options, id, key, hash, attempts_started, beside)
    taken = taken + 1
    if not deferred then counted = counted + 1 end
    jobs[2 * taken - 1], jobs[2 * taken] = id, hash
  end
  local is_over = allowed == 0
  while not is_over do
    local ids, passed_before = pop(queue, allowed - taken), #aside + held_back
    seen = seen + #ids
    for i, id in ipairs(ids) do
      local key = queue.base .. id
      local hash, attempts_started, stalled, deferred, group = read_job(key, now)
      if not hash then
        redis.call('LREM', queue.base .. 'active', 1, id)
      elseif options.isolates and stalled >= SUSPECT_STALLS and not deferred then
        met = met + 1
        if options.is_overdue then
          local runs_alone = taken == 0 and options.holds == 0
          if runs_alone and may_take(id, deferred, group) then take_it(id, key, hash, attempts_started, deferred, false) end
          moves().put_back(queue, ids, runs_alone and i + 1 or i)
          is_over = true
          break
        end
        aside[#aside + 1] = id
      elseif not group or may_take(id, deferred, group) then
        take_it(id, key, hash, attempts_started, deferred, options.isolates and stalled >= 1 and not deferred)
      end
    end
    -- Once more only where suspects, or jobs whose groups may not start them, were in the way of others.
    local passed = #aside + held_back
    is_over = is_over or taken == allowed or #ids == 0 or passed == passed_before or passed >= MOST_ASIDE
  end
  if #aside > 0 then
    local first = 1
    if taken == 0 and options.holds == 0 then
      local key = queue.base .. aside[1]
      local hash, attempts_started, _, _, group = read_job(key, now)
      if may_take(aside[1], false, group) then take_it(aside[1], key, hash, attempts_started, false, false) end
      first = 2
    end
    moves().put_behind(queue, aside, first)
  end
  if met > 0 and state == OPEN then state, wait_ms = SUSPECT, -1 end
  count_against_limiter(queue, options, counted)
  -- Other waiters are woken in turn, and so is this one where an id was no job and there may be more. Not where all were
  -- passed: those who hold jobs would wake each other on and on.
  if seen > 0 and (taken > 0 or met == 0) then mark_work(queue) end
  if taken < options.want and wait_ms < 0 then
    local next_job = redis.call('ZRANGE', queue.base .. 'delayed', 0, 0, 'WITHSCORES')
    if next_job[2] then wait_ms = math.max(math.floor(next_job[2] / 4096) - now, 0) end
  end
  return jobs, state, wait_ms
end

local FETCH_ARGUMENTS = 7

-- Seven arguments from ARGV[at] on, as fetch() wants them.
local function read_fetch_options(at)
  local holds = tonumber(ARGV[at + 6])
  local is_overdue = holds and holds < 0
  return {
    want = tonumber(ARGV[at]),
    token = ARGV[at + 1],
    lock_ms = ARGV[at + 2],
    worker_name = ARGV[at + 3],
    limiter_max = tonumber(ARGV[at + 4]),
    limiter_duration = tonumber(ARGV[at + 5]),
    isolates = holds ~= nil,
    holds = is_overdue and -holds - 1 or holds or 0,
    is_overdue = is_overdue,
  }
end
