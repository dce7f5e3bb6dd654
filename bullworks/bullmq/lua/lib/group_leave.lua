-- include: lib/group_parked.lua

local function forget_member(queue, id, group)
  local base = queue.base
  -- First, since whoever gets its slot is looked for among the parked.
  redis.call('ZREM', base .. 'bw:parked:' .. group, id)
  free_slot(queue, id, group, true)
  redis.call('ZREM', base .. 'bw:group:' .. group, id)
  if redis.call('EXISTS', base .. 'bw:group:' .. group) == 1 then return end
  redis.call('ZREM', base .. 'bw:groups', group)
  redis.call('DEL', base .. 'bw:slots:' .. group, base .. 'bw:parked:' .. group)
  if redis.call('EXISTS', base .. 'bw:groups') == 0 then
    redis.call('DEL', base .. 'bw:clock')
  elseif limits_of(queue, group) then
    redis.call('HDEL', base .. 'bw:clock', 'w:' .. group)
  end
end

-- A job that ended, or is removed, leaves its group; with the last one goes what is known of the group, but its limits.
-- A key of the group that others spoiled keeps no job from its end.
local function leave_group(queue, id, group)
  pcall(forget_member, queue, id, group)
end

-- Whether a job of a group has ended, by whomever it was run, or is gone.
local function has_ended(queue, id)
  local fields = redis.pcall('HMGET', queue.base .. id, 'name', 'finishedOn')
  return fields.err or not fields[1] or fields[2]
end

-- Forgets those of some ids that have ended. Returns how many.
local function drop_ended(queue, group, ids)
  local dropped = 0
  for _, id in ipairs(ids) do
    if has_ended(queue, id) then
      leave_group(queue, id, group)
      dropped = dropped + 1
    end
  end
  return dropped
end
