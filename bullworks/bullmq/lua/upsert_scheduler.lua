--[[ upsert_scheduler: say when and how a scheduler's jobs are made, and put its one pending iteration in place.
  KEYS    1 base       the common prefix of the queue's keys; touched: repeat, repeat:*, id, meta, wait, paused, delayed,
                       prioritized, pc, marker, events, active and completed (read), and the hash of the iteration
  ARGV    1 version    stored in `meta` where the queue is new
          2 id         string  the scheduler's
          3 name       string  of its jobs
          4 data       JSON of its jobs, '' for none
          5 template   JSON of their options, '' for none
          6 opts       JSON of the iteration's options, no empty object; what only this script knows is added
          7 priority   0 .. 2^21 - 1
          8 lifo       '1' or ''
          9 pattern    cron expression; '' where there is `every`
          10 tz        time zone, '' for none
          11 every     ms; '' where there is a pattern
          12 offset    ms of `every`, 1 or more; '' for none
          13 limit     jobs, '' for none
          14 start_ms  ms since the epoch, '' for none
          15 end_ms    ms since the epoch, '' for none
          16 first_ms  when a pattern's first job is due; '' for now
  RETURNS list         0, the iteration's id and its hash; -1, ms: the pattern's iteration of then was run already;
                       -2: `every` has no iteration before end_ms
  EVENTS  added, then delayed or waiting; never duplicated, deduplicated, waiting-children, removed
]]
-- include: lib/now.lua
-- include: lib/remove.lua
-- include: lib/iteration.lua
local base, id = KEYS[1], ARGV[2]
refuse_scheduler_types(base, id)
local queue, now = read_queue(base), now_ms()
local key = base .. 'repeat:' .. id
local every, first_ms = tonumber(ARGV[11]), tonumber(ARGV[16])
local last = tonumber(redis.call('ZSCORE', base .. 'repeat', id))
local pending = last and iteration_id(id, last)
local place = pending and place_of(base, pending)
if not IN_LINE[place] then place = nil end
local stored = redis.call('HMGET', key, 'ic', 'every', 'offset', 'startDate', 'pattern', 'tz')

-- A service says the same at each of its starts: that must not move what is scheduled. `every` has no time zone.
local function is_same_schedule()
  return last and tonumber(stored[2]) == every and (stored[4] or '') == ARGV[14] and (stored[5] or '') == ARGV[9]
    and (every or (stored[6] or '') == ARGV[10]) and (ARGV[12] == '' or tonumber(stored[3]) == tonumber(ARGV[12]))
end

local function slot_of_every()
  local start, given = tonumber(ARGV[14]), tonumber(ARGV[12])
  if is_same_schedule() then
    local offset = tonumber(stored[3]) or last % every
    if place then return last, offset end
    return free_slot(queue, id, slot_after(last, now, every, offset), every), offset
  end
  local slot = now
  if start and start > now then
    slot = start
  elseif given and not start then
    slot = aligned_slot(now, every, given)
  end
  local offset = given or slot % every
  if place and slot == last then return slot, offset end
  return free_slot(queue, id, slot, every), offset
end

local function slot_of_pattern()
  -- As in BullMQ, the offset of an `every` that was there before stays, and means nothing.
  local offset = place and tonumber(stored[3]) or 0
  -- An iteration that nobody was there to run is run late, not dropped.
  if first_ms and place and is_same_schedule() then return last, offset end
  return first_ms or now, offset
end

local due, offset
if every then
  due, offset = slot_of_every()
else
  due, offset = slot_of_pattern()
  if not (place and due == last) and redis.call('EXISTS', base .. iteration_id(id, due)) == 1 then
    return {ALREADY_RUN, string.format('%.0f', due)}
  end
end
if ARGV[15] ~= '' and due > tonumber(ARGV[15]) then return {ENDED} end

make_known(queue, ARGV[1])
if place then
  leave_line(queue, place, pending)
  delete_job(base, pending)
end
local fields = {'name', ARGV[3], 'offset', string.format('%.0f', offset), 'ic', stored[1] or 1}
for field, value in pairs({data = ARGV[4], opts = ARGV[5], pattern = ARGV[9], tz = ARGV[10], every = ARGV[11],
  limit = ARGV[13], startDate = ARGV[14], endDate = ARGV[15]}) do
  if value ~= '' then
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
end
redis.call('DEL', key)
redis.call('HSET', key, unpack(fields))
local added = add_iteration(queue, now, id, due, {name = ARGV[3], data = ARGV[4] ~= '' and ARGV[4] or '{}',
  opts = ARGV[6], priority = tonumber(ARGV[7]), lifo = ARGV[8] == '1', is_pattern = not every})
return {ADDED, added, redis.call('HGETALL', base .. added)}
