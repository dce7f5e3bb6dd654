--[[ add_jobs: store jobs and put each where a worker will find it, all in one step.
  KEYS    1 base     the common prefix of the queue's keys, `bull:<queue>:`; every key touched begins with it:
                     id, meta, wait, delayed, prioritized, pc, marker, events, active (its length) and the job hashes
  ARGV    1 version  string  stored in `meta` where the queue is new
          2...       eight per job:
                     id        string  '' for the next number of the queue
                     name      string
                     data      JSON
                     opts      JSON
                     timestamp ms, '' for now
                     delay     ms, 0 for none
                     priority  0 .. 2^21 - 1
                     lifo      '1' or ''
  RETURNS list  the time in ms, then per job its id; the id of a job that exists already is returned unchanged
  EVENTS  added, then delayed or waiting; duplicated
]]
-- include: lib/now.lua
-- include: lib/enqueue.lua
local FIELDS = 8
local queue = read_queue(KEYS[1])
local now = now_ms()
if not queue.known then
  redis.call('HSET', KEYS[1] .. 'meta', 'opts.maxLenEvents', queue.max_events, 'version', ARGV[1])
end

local count = (#ARGV - 1) / FIELDS
local number = redis.call('INCRBY', KEYS[1] .. 'id', count) - count
local reply = {now}
local has_waiting = false
for i = 1, count do
  local at = 2 + (i - 1) * FIELDS
  local id, name, timestamp = ARGV[at], ARGV[at + 1], ARGV[at + 4]
  local delay, priority = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
  number = number + 1
  if id == '' then id = string.format('%.0f', number) end
  if timestamp == '' then timestamp = now end
  local key = KEYS[1] .. id
  if redis.call('EXISTS', key) == 1 then
    emit(queue, 'duplicated', 'jobId', id)
  else
    redis.call('HSET', key, 'name', name, 'data', ARGV[at + 2], 'opts', ARGV[at + 3],
      'timestamp', timestamp, 'delay', delay, 'priority', priority)
    emit(queue, 'added', 'jobId', id, 'name', name)
    if delay > 0 then
      add_delayed(queue, id, timestamp + delay)
    else
      add_to_end(queue, id, priority, ARGV[at + 7] == '1')
      emit(queue, 'waiting', 'jobId', id)
      has_waiting = true
    end
  end
  reply[i + 1] = id
end
if has_waiting then mark_work_unless_closed(queue) end
return reply
