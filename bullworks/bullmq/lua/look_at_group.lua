--[[ look_at_group: where a page of a group's jobs is; those that have ended are forgotten.
  KEYS    1 base   the common prefix of the queue's keys; touched: bw:*, delayed, prioritized, pc, wait, active, marker,
                   waiting-children, meta, events, and the jobs' hashes and locks (read)
  ARGV    1 group  string
          2 from   jobs before them that earlier calls left
          3 limit  jobs looked at in one call, 1 .. 1000
  RETURNS list     jobs looked at; `from` for the next call; then how many wait, are parked, are delayed, are active, and
                   wait for their children; those dropped are the rest
  EVENTS  waiting (prev=delayed)
]]
-- include: lib/group_leave.lua
local base, group, from, limit = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local queue = read_queue(base)
local WAITING, PARKED, DELAYED, ACTIVE, WITH_CHILDREN = 1, 2, 3, 4, 5
local counts = {0, 0, 0, 0, 0}

local function place_in_group(id)
  if redis.call('ZSCORE', base .. 'prioritized', id) then return WAITING end
  if redis.call('ZSCORE', base .. 'delayed', id) then
    return redis.call('ZSCORE', base .. 'bw:parked:' .. group, id) and PARKED or DELAYED
  end
  if redis.call('EXISTS', base .. id .. ':lock') == 1 then return ACTIVE end
  if redis.call('ZSCORE', base .. 'waiting-children', id) then return WITH_CHILDREN end
  return not has_ended(queue, id) and WAITING or nil
end

local ids = redis.call('ZRANGE', base .. 'bw:group:' .. group, from, from + limit - 1)
local left = 0
for _, id in ipairs(ids) do
  local place = place_in_group(id)
  if place then
    counts[place] = counts[place] + 1
    left = left + 1
  else
    leave_group(queue, id, group)
  end
end
return {#ids, from + left, unpack(counts)}
