-- include: lib/group_rank.lua

-- Parked jobs: those of a group that may not start now. They lie in `delayed`, and in their order in `bw:parked:<group>`.

-- Entries of jobs that others took or removed, dropped in one call.
local MOST_STALE = 20

-- The id of the group's first parked job that is still to run, or nil.
local function first_parked(queue, group)
  local key = queue.base .. 'bw:parked:' .. group
  for _ = 1, MOST_STALE do
    local id = redis.call('ZRANGE', key, 0, 0)[1]
    if not id then return nil end
    if redis.call('ZSCORE', queue.base .. 'delayed', id) or redis.call('ZSCORE', queue.base .. 'prioritized', id)
      or id == queue.looked_at then return id end
    redis.call('ZREM', key, id)
  end
  return nil
end

-- The group's first parked job may be looked at again: it joins its line.
local function wake_first(queue, group)
  local id = first_parked(queue, group)
  if not id or not redis.call('ZSCORE', queue.base .. 'delayed', id) then return end
  -- Before it leaves its place: an error must not leave it in none.
  local priority = rank_again(queue, id, group)
  redis.call('ZREM', queue.base .. 'delayed', id)
  add_prioritized(queue, id, priority)
  redis.call('HSET', queue.base .. id, 'delay', 0)
  emit(queue, 'waiting', 'jobId', id, 'prev', 'delayed')
  mark_work_unless_closed(queue)
end

-- A job of the group is active no more: another may take its slot. In an ordered group it keeps that until it has ended.
local function free_slot(queue, id, group, has_ended)
  local limits = limits_of(queue, group)
  if not limits or not limits.concurrency or (limits.ordered and not has_ended) then return end
  if redis.call('SREM', queue.base .. 'bw:slots:' .. group, id) == 1 then wake_first(queue, group) end
end
