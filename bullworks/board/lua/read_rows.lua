--[[ read_rows: a row for each of many jobs, of bounded size whatever the jobs hold.
  KEYS    1 base      the common prefix of the queue's keys; read: the states' and the jobs' hashes
  ARGV    1 field     of the jobs' hashes: data or failedReason
          2 head      bytes of it that are answered at most, 0 or more
          3 largest   bytes; of a longer value nothing is answered but its size
          4...        state (wait, active, delayed ...), skip, limit: up to `limit` jobs of it, newest first, past `skip`
  RETURNS list        for each state a list: the ids looked at, then of each job that is there its place from 0, id, name,
                      timestamp, finishedOn, size of the field (-1: the job's key is of another type), head
  EVENTS  none
]]
local LISTS = {wait = true, paused = true, active = true}
-- A name is a word or two; a longer one is cut.
local LONGEST_NAME = 500

local base, field = KEYS[1], ARGV[1]
local head, largest = tonumber(ARGV[2]), tonumber(ARGV[3])

local function add_row(rows, place, id)
  local key = base .. id
  local job = redis.pcall('HMGET', key, 'name', 'timestamp', 'finishedOn')
  local row
  if job.err then
    row = {'', '', '', -1, ''}
  elseif job[1] or job[2] then
    local size = redis.call('HSTRLEN', key, field)
    local is_read = head > 0 and size > 0 and size <= largest
    local value = is_read and string.sub(redis.call('HGET', key, field), 1, head) or ''
    row = {string.sub(job[1] or '', 1, LONGEST_NAME), job[2] or '', job[3] or '', size, value}
  else
    return -- removed meanwhile
  end
  rows[#rows + 1] = place
  rows[#rows + 1] = id
  for _, part in ipairs(row) do rows[#rows + 1] = part end
end

local states = {}
for at = 4, #ARGV, 3 do
  local state, skip, limit = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local ids = redis.call(LISTS[state] and 'LRANGE' or 'ZREVRANGE', base .. state, skip, skip + limit - 1)
  local rows = {#ids}
  for i, id in ipairs(ids) do add_row(rows, skip + i - 1, id) end
  states[#states + 1] = rows
end
return states
