-- include: lib/add.lua
-- include: lib/place.lua
-- include: lib/scheduler.lua
-- include: lib/key_types.lua

-- The jobs of a scheduler, one at a time: `repeat` holds the ms of its latest one, whose id is `repeat:<scheduler>:<ms>`.
-- Codes a caller must know.
local ADDED, ALREADY_RUN, ENDED, NOT_PENDING = 0, -1, -2, -3

-- More slots in a row that ran ahead of their time than anybody would promote by hand.
local MOST_SKIPPED = 1000

local IN_LINE = {delayed = 'ZREM', prioritized = 'ZREM', wait = 'LREM', paused = 'LREM'}

local function leave_line(queue, place, id)
  if IN_LINE[place] == 'LREM' then
    redis.call('LREM', queue.base .. place, 1, id)
  else
    redis.call('ZREM', queue.base .. place, id)
  end
end

local function refuse_scheduler_types(base, scheduler_id)
  refuse_wrong_types_of(base, {'repeat', 'meta', 'events', 'marker', 'wait', 'active', 'delayed', 'prioritized', 'pc'})
  refuse_wrong_type(base .. 'repeat:' .. scheduler_id, 'hash')
end

local function iteration_id(scheduler_id, due)
  return 'repeat:' .. scheduler_id .. ':' .. string.format('%.0f', due)
end

-- The slots of `every` lie at multiples of it plus the offset; this is the first that is not past.
local function aligned_slot(now, every, offset)
  local slot = math.floor(now / every) * every + offset
  if slot < now then slot = slot + every end
  return slot
end

-- The slot after `last`, or where that is past too, because nobody was there to run it, the next one that is not.
local function slot_after(last, now, every, offset)
  local slot = last + every
  if slot < now then slot = aligned_slot(now, every, offset) end
  return slot
end

-- Past slots whose job is there already: it ran ahead of its time.
local function free_slot(queue, scheduler_id, slot, every)
  for _ = 1, MOST_SKIPPED do
    if redis.call('EXISTS', queue.base .. iteration_id(scheduler_id, slot)) == 0 then return slot end
    slot = slot + every
  end
  error({err = 'ERR the next ' .. MOST_SKIPPED .. ' iterations of scheduler ' .. scheduler_id .. ' are there already'})
end

-- What of its options is known only now is added to those of a job: where, and of a cron pattern when the last one was.
local function complete_opts(opts, id, now, due, is_pattern)
  local rest = string.format(',"jobId":%s,"delay":%.0f,"timestamp":%.0f', cjson.encode(id), math.max(due - now, 0), now)
  if is_pattern then rest = rest .. string.format(',"prevMillis":%.0f', due) end
  return string.sub(opts, 1, -2) .. rest .. '}'
end

-- Adds the job that is due then. iteration: name, data, opts (JSON, no empty object), priority, lifo, is_pattern.
local function add_iteration(queue, now, scheduler_id, due, iteration)
  local id = iteration_id(scheduler_id, due)
  redis.call('ZADD', queue.base .. 'repeat', due, scheduler_id)
  local _, is_waiting = add_job(queue, now, {
    id = id, name = iteration.name, data = iteration.data,
    opts = complete_opts(iteration.opts, id, now, due, iteration.is_pattern), timestamp = now,
    delay = math.max(due - now, 0), priority = iteration.priority, lifo = iteration.lifo, scheduler_id = scheduler_id,
  })
  if is_waiting then mark_work_unless_closed(queue) end
  return id
end
