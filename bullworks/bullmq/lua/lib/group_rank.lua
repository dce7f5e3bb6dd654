-- include: lib/enqueue.lua
-- include: lib/group_settings.lua
-- include: lib/whole.lua

-- The fair order of groups, see docs/decisions/0013-groups.md. A round is counted from the beginning of time; the priority
-- of a job is its round less `origin` of `bw:clock`. Priority 1 comes before all rounds.
local FIRST_ROUND, LAST_ROUND = 2, 2097151
-- As options/group.py has it, for what others wrote: past that, rounds would run out.
local LIGHTEST, HEAVIEST = 0.001, 1000
-- A priority in the score of `prioritized`.
local PRIORITY = 4294967296
-- Once the lowest round that waits is so high, all are moved down; so many with each call.
local MOVE_AT, MOVED_A_CALL = 1048576, 300
-- Jobs that workers hold at the beginning of a move, of which another priority is stored.
local MOST_ACTIVE = 1000
-- Jobs without a group may have the lowest priorities: so many are passed to find one that has.
local MOST_PASSED = 10

local function priority_of_round(clock, round)
  local whole_round = math.floor(round + 0.000001)
  local priority = whole_round - clock.origin
  if clock.moved and priority < math.floor(clock.moved / PRIORITY) then priority = whole_round - clock.target end
  return math.max(FIRST_ROUND, math.min(priority, LAST_ROUND))
end

local function group_of(queue, id)
  local group = redis.pcall('HGET', queue.base .. id, 'gid')
  return type(group) == 'string' and group or nil
end

-- The lowest round of a job that waits; nil: none of those with the lowest priorities has a group.
local function lowest_round(queue, clock)
  local waiting = redis.call('ZRANGEBYSCORE', queue.base .. 'prioritized', FIRST_ROUND * PRIORITY, '+inf', 'WITHSCORES',
    'LIMIT', 0, MOST_PASSED)
  clock.is_empty = #waiting == 0
  for i = 1, #waiting, 2 do
    if group_of(queue, waiting[i]) then
      local priority = math.floor(waiting[i + 1] / PRIORITY)
      local is_moved = clock.moved and priority < math.floor(clock.moved / PRIORITY)
      return priority + (is_moved and clock.target or clock.origin)
    end
  end
  return nil
end

-- What runs now has a priority by the old origin, with which Node would put it back behind all others.
local function begin_move(queue, clock)
  clock.target = math.floor(clock.now) - FIRST_ROUND
  clock.moved = FIRST_ROUND * PRIORITY - 1
  for _, id in ipairs(redis.call('LRANGE', queue.base .. 'active', 0, MOST_ACTIVE - 1)) do
    if group_of(queue, id) then redis.call('HSET', queue.base .. id, 'priority', 1) end
  end
end

-- The lowest first: what is moved stays below what is not.
local function move_some(queue, clock)
  local distance = clock.target - clock.origin
  local waiting = redis.call('ZRANGEBYSCORE', queue.base .. 'prioritized', '(' .. whole(clock.moved), '+inf', 'WITHSCORES',
    'LIMIT', 0, MOVED_A_CALL)
  for i = 1, #waiting, 2 do
    local id, score = waiting[i], tonumber(waiting[i + 1])
    if group_of(queue, id) then
      local priority = math.max(math.floor(score / PRIORITY) - distance, FIRST_ROUND)
      redis.call('ZADD', queue.base .. 'prioritized', whole(priority * PRIORITY + score % PRIORITY), id)
      redis.call('HSET', queue.base .. id, 'priority', whole(priority))
    end
    clock.moved = score
  end
  if #waiting < 2 * MOVED_A_CALL then
    clock.origin, clock.target, clock.moved = clock.target, nil, nil
    redis.call('HDEL', clock.key, 'target', 'moved')
  else
    redis.call('HSET', clock.key, 'target', whole(clock.target), 'moved', whole(clock.moved))
  end
end

-- Where the order of groups has come to; read, and where needed moved on, once a script call.
local function read_clock(queue)
  local clock = queue.clock
  if clock then return clock end
  clock = {key = queue.base .. 'bw:clock', groups = queue.base .. 'bw:groups', next_rounds = {}}
  queue.clock = clock
  local stored = redis.call('HMGET', clock.key, 'now', 'origin', 'target', 'moved')
  clock.now, clock.origin = tonumber(stored[1]) or 0, tonumber(stored[2]) or -FIRST_ROUND
  clock.target, clock.moved = tonumber(stored[3]), tonumber(stored[4])
  local lowest = lowest_round(queue, clock)
  if lowest then
    clock.now = math.max(clock.now, lowest)
    if not clock.moved and clock.now - clock.origin > MOVE_AT then begin_move(queue, clock) end
    if clock.moved then move_some(queue, clock) end
  elseif clock.is_empty then
    -- Nobody waits, so nobody is owed anything, and rounds begin anew.
    local highest = redis.call('ZREVRANGE', clock.groups, 0, 0, 'WITHSCORES')
    clock.now = math.floor(math.max(clock.now, tonumber(highest[2]) or 0))
    clock.origin = clock.now - FIRST_ROUND
    if clock.moved then redis.call('HDEL', clock.key, 'target', 'moved') end
    clock.target, clock.moved = nil, nil
  end
  redis.call('HSET', clock.key, 'now', whole(clock.now), 'origin', whole(clock.origin))
  return clock
end

local function weight_of(queue, group, own)
  local limits = limits_of(queue, group)
  local weight = tonumber(own) or limits and tonumber(limits.weight) or 1
  return math.max(LIGHTEST, math.min(weight, HEAVIEST))
end

-- Gives a job of the group its next round. Returns the priority that says so; `own_weight`: of the job, or nil.
local function rank(queue, id, group, own_weight)
  local clock = read_clock(queue)
  local due = clock.next_rounds[group] or tonumber(redis.call('ZSCORE', clock.groups, group)) or 0
  local round = math.max(clock.now, due)
  clock.next_rounds[group] = round + 1 / weight_of(queue, group, own_weight)
  redis.call('ZADD', clock.groups, string.format('%.17g', clock.next_rounds[group]), group)
  redis.call('ZADD', queue.base .. 'bw:group:' .. group, string.format('%.17g', round), id)
  return priority_of_round(clock, round)
end

-- The next turn of a group whose limits made it miss some: counted from its last start, not behind what it added since.
-- Where that is past it is served at once, since it has had less than its share.
local function next_start_round(queue, group)
  local clock = read_clock(queue)
  local last = tonumber(redis.call('HGET', clock.key, 'w:' .. group))
  return last and last + 1 / weight_of(queue, group) or clock.now
end

-- A job of a group with limits starts: a turn is used.
local function note_start(queue, group)
  local clock = read_clock(queue)
  local round = math.max(clock.now, next_start_round(queue, group))
  redis.call('HSET', clock.key, 'w:' .. group, string.format('%.17g', round))
end

-- Whether the job has a place in its group that it need not join anew: it was parked, or holds an ordered group's slot.
local function keeps_place(queue, id, group)
  local limits = limits_of(queue, group)
  return redis.call('ZSCORE', queue.base .. 'bw:parked:' .. group, id)
    or limits and limits.ordered and redis.call('SISMEMBER', queue.base .. 'bw:slots:' .. group, id) == 1
end

-- The priority with which a job that was elsewhere joins its group again, stored in its hash too.
local function rank_again(queue, id, group)
  local priority
  if keeps_place(queue, id, group) then
    priority = priority_of_round(read_clock(queue), next_start_round(queue, group))
  else
    priority = rank(queue, id, group, redis.call('HGET', queue.base .. id, 'gw'))
  end
  redis.call('HSET', queue.base .. id, 'priority', whole(priority))
  return priority
end
