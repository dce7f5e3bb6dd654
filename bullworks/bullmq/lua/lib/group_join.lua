-- include: lib/group_leave.lua

-- New jobs of groups. Within add.lua, whose names it uses.

-- Jobs looked at to see whether they have ended, where a group seems to be full.
local MOST_LOOKED_AT = 1000
-- What Node ends nobody tells of: so many jobs of some group are looked at with each call.
local LOOKED_AT_A_CALL = 3

-- Whether the group may have one job more besides `pending`, which are added with it.
local function has_group_room(queue, group, pending)
  local limits = limits_of(queue, group)
  if not limits or not limits.max_size then return true end
  local key = queue.base .. 'bw:group:' .. group
  if redis.call('ZCARD', key) + pending < limits.max_size then return true end
  drop_ended(queue, group, redis.call('ZRANGE', key, 0, MOST_LOOKED_AT - 1))
  return redis.call('ZCARD', key) + pending < limits.max_size
end

local function tidy_some(queue)
  local group = redis.call('ZRANDMEMBER', queue.base .. 'bw:groups')
  if not group then return end
  drop_ended(queue, group, redis.call('ZRANDMEMBER', queue.base .. 'bw:group:' .. group, LOOKED_AT_A_CALL))
end

-- Puts the job among those of its group, and gives it the priority of its round; one that does not wait yet gets that
-- later, and is the first of all where Node brings it in line.
local function join_group(queue, job, id)
  local group = job.group.id
  -- Of another group, whose keys others may have spoiled.
  if not queue.clock then pcall(tidy_some, queue) end
  if job.delay > 0 or job.waits_for_children then
    local clock = read_clock(queue)
    local round = string.format('%.17g', clock.now)
    redis.call('ZADD', clock.groups, 'NX', round, group)
    redis.call('ZADD', queue.base .. 'bw:group:' .. group, round, id)
    job.priority = 1
  else
    job.priority = rank(queue, id, group, job.group.weight)
  end
  redis.call('HSET', queue.base .. id, 'gid', group)
  if job.group.weight then redis.call('HSET', queue.base .. id, 'gw', string.format('%.17g', job.group.weight)) end
end
