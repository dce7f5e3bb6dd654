-- include: lib/group_parked.lua

-- Whether a job of a group may start now. Within fetch.lua, whose names it uses.

-- A parked job is looked at again at the latest so much later, and each that is parked behind it a little after: a slot
-- that is freed brings it back at once, so this is for slots whose holders died.
local PARK_MS, PARK_STEP_MS = 5000, 50
-- Of a paused group only `resume_group` brings jobs back.
local PAUSE_MS = 86400000
-- Holders of slots that are looked at in one call.
local MOST_HOLDERS = 50

-- In an ordered group a job holds its slot until it has ended, else as long as its lock lives; the job that is looked at
-- gets its lock next.
local function holds_slot(queue, id, limits)
  if id == queue.looked_at or redis.call('EXISTS', queue.base .. id .. ':lock') == 1 then return true end
  if not limits.ordered then return false end
  local fields = redis.call('HMGET', queue.base .. id, 'name', 'finishedOn')
  return fields[1] and not fields[2]
end

local function has_slot(queue, group, limits)
  local key = queue.base .. 'bw:slots:' .. group
  if redis.call('SCARD', key) < limits.concurrency then return true end
  -- Once a call: nothing else runs meanwhile.
  queue.slots_checked = queue.slots_checked or {}
  if queue.slots_checked[group] then return false end
  queue.slots_checked[group] = true
  for _, id in ipairs(redis.call('SRANDMEMBER', key, MOST_HOLDERS)) do
    if not holds_slot(queue, id, limits) then redis.call('SREM', key, id) end
  end
  return redis.call('SCARD', key) < limits.concurrency
end

-- When the group's rate allows the next start, ms since the epoch. A start that is yet to come was counted by a clock that
-- was set back since, or is none.
local function next_start(queue, now, group, limits)
  local oldest = number_of(redis.call('LINDEX', queue.base .. 'bw:starts:' .. group, limits.max - 1))
  return oldest and oldest <= now and math.max(now, oldest + limits.duration) or now
end

local function count_start(queue, now, group, limits)
  local key = queue.base .. 'bw:starts:' .. group
  redis.call('LPUSH', key, whole(now))
  redis.call('LTRIM', key, 0, limits.max - 1)
  redis.call('PEXPIRE', key, limits.duration)
end

-- How long the job is parked at the most, from the place it has among the parked.
local function parked_until(queue, now, id, group, limits)
  if limits.paused then return now + PAUSE_MS end
  local key = queue.base .. 'bw:parked:' .. group
  local place = redis.call('ZRANK', key, id) or redis.call('ZCARD', key)
  local due = now
  if limits.max then
    due = math.ceil(next_start(queue, now, group, limits) + place * limits.duration / limits.max)
  end
  if limits.concurrency then due = math.max(due, now + PARK_MS + place * PARK_STEP_MS) end
  return due
end

local function park(queue, now, id, group, limits)
  local key = queue.base .. 'bw:parked:' .. group
  local due = math.max(parked_until(queue, now, id, group, limits), now + 1)
  local last = redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')
  redis.call('ZADD', key, 'NX', whole((tonumber(last[2]) or 0) + 1), id)
  redis.call('LREM', queue.base .. 'active', 1, id)
  redis.call('HSET', queue.base .. id, 'priority', 1, 'delay', whole(due - now))
  add_delayed(queue, id, due)
end

-- The next parked job may start as soon as the rate allows.
local function bring_next(queue, now, group, limits)
  local start = limits.max and next_start(queue, now, group, limits) or now
  if start <= now then return wake_first(queue, group) end
  local id = first_parked(queue, group)
  local due = id and redis.call('ZSCORE', queue.base .. 'delayed', id)
  if due and math.floor(due / 4096) > start then
    redis.call('ZREM', queue.base .. 'delayed', id)
    add_delayed(queue, id, start)
  end
end

-- Takes what the group's limits give the job, or parks it. Returns whether it may start.
local function may_start(queue, now, id, group)
  local limits, parked = limits_of(queue, group), queue.base .. 'bw:parked:' .. group
  if not limits then
    -- No group has limits any more.
    if redis.call('ZREM', parked, id) == 1 then wake_first(queue, group) end
    return true
  end
  local slots = queue.base .. 'bw:slots:' .. group
  -- A job that has a slot, since it stalled or is tried again in an ordered group, passes those that wait for one.
  local is_holder = limits.concurrency and redis.call('SISMEMBER', slots, id) == 1
  queue.looked_at = id
  local first = not is_holder and first_parked(queue, group)
  local is_open = not limits.paused
    and (is_holder or not limits.concurrency or has_slot(queue, group, limits))
    and (not limits.max or next_start(queue, now, group, limits) <= now)
  if not is_open or (first and first ~= id) then
    park(queue, now, id, group, limits)
    if is_open then wake_first(queue, group) end
    return false
  end
  if limits.concurrency then redis.call('SADD', slots, id) end
  if limits.max then count_start(queue, now, group, limits) end
  note_start(queue, group)
  -- One after the other comes back, as long as there is room.
  if redis.call('ZREM', parked, id) == 1 and (not limits.concurrency or has_slot(queue, group, limits)) then
    bring_next(queue, now, group, limits)
  end
  return true
end

-- The id of a group that a job's options name, a text or a whole number; nil: they name none, as anybody may have written
-- them. In Python it is wire/group_codec.py.
local function group_named(options)
  local asked = type(options) == 'table' and options.group
  local id = type(asked) == 'table' and asked.id
  if type(id) == 'string' and id ~= '' then return id end
  local is_whole = type(id) == 'number' and id % 1 == 0 and math.abs(id) < 9007199254740992
  return is_whole and whole(id) or nil
end

-- A job that Node added with `group` among its options joins that group; it is taken in its turn.
local function admit(queue, id)
  local is_read, options = pcall(cjson.decode, redis.call('HGET', queue.base .. id, 'opts'))
  local group = is_read and group_named(options)
  if not group then return false end
  local weight = tonumber(options.group.weight)
  redis.call('HSET', queue.base .. id, 'gid', group)
  if weight and weight > 0 then redis.call('HSET', queue.base .. id, 'gw', weight) end
  -- Before it leaves its place: an error must not leave it in none.
  local priority = rank_again(queue, id, group)
  redis.call('LREM', queue.base .. 'active', 1, id)
  add_prioritized(queue, id, priority)
  return true
end

local function starts(queue, now, id, group)
  if group == true then return not admit(queue, id) end
  return may_start(queue, now, id, group)
end

-- Whether a job that was popped starts now; else it is elsewhere. `group`: true where its options alone name one.
local function passes(queue, now, id, group)
  local is_known, answer = pcall(starts, queue, now, id, group)
  if is_known then return answer end
  -- A key of the group that others spoiled limits nothing; an error would lose all jobs that were popped.
  return redis.call('LPOS', queue.base .. 'active', id)
end
