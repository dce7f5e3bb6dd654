--[[ add_jobs: store jobs and put each where a worker will find it, all or none of them.
  KEYS    1 base     the common prefix of the queue's keys, `bull:<queue>:`; touched: id, meta, wait, delayed, prioritized,
                     pc, marker, events, active (read), completed (read), de:*, dn:*, bw:*, the job hashes, and of a parent, whose
                     queue may be another: its hash, dependencies, processed, and its queue's keys of the same names
  ARGV    1 version  string  stored in `meta` where the queue is new
          2...       nine per job:
                     id        string  '' for the next number of the queue
                     name      string
                     data      JSON
                     opts      JSON
                     timestamp ms, '' for now
                     delay     ms, 0 for none
                     priority  0 .. 2^21 - 1
                     lifo      '1' or ''
                     relations '' or JSON {parent_key, parent, waits_for_children, scheduler_id,
                               dedup {id, ttl ms, extend, replace, reschedule, keep_last_if_active},
                               group {id, weight}}
  RETURNS list  the time in ms, then per job its id, or the id of the job that stands for it (an equal id, or
                deduplication id); or, and then nothing was stored, the time and two ints: the code -5 (a job's parent is
                missing), -7 (the job of that id has another parent) or -12 (its group has as many jobs as it may), and
                the number of the job among them
  EVENTS  added, then delayed, waiting or waiting-children; duplicated; deduplicated, removed
]]
-- include: lib/now.lua
-- include: lib/add.lua
-- include: lib/wrong_type.lua
local base = KEYS[1]
local is_plain, is_delayed, is_prioritized = true, false, false
for at = 2, #ARGV, JOB_FIELDS do
  is_plain = is_plain and ARGV[at + 8] == ''
  is_delayed = is_delayed or ARGV[at + 5] ~= '0'
  is_prioritized = is_prioritized or ARGV[at + 6] ~= '0'
end
-- Of what is written after the first job, and of `meta`, whose reading fails without its name.
local could_read, queue = pcall(read_queue, base)
local wrong = not could_read and (wrong_type(base .. 'meta', 'hash') or queue.err)
  or wrong_type(base .. 'events', 'stream') or wrong_type(base .. 'marker', 'zset') or wrong_type(base .. 'wait', 'list')
  or is_delayed and wrong_type(base .. 'delayed', 'zset')
  or is_prioritized and (wrong_type(base .. 'prioritized', 'zset') or wrong_type(base .. 'pc', 'string'))
if wrong then error({err = wrong}) end
local now = now_ms()
local jobs, bases, queues, keys = {}, {}, {}, {}
for at = 2, #ARGV, JOB_FIELDS do jobs[#jobs + 1] = read_new_job(at, now) end
if not is_plain then
  -- include within: lib/find_refused.lua
  -- Each job counts, also one with an id of its own.
  local counted = tonumber(redis.call('GET', base .. 'id')) or 0
  for i, job in ipairs(jobs) do
    bases[i], queues[i] = base, queue
    keys[i] = base .. (job.id ~= '' and job.id or string.format('%.0f', counted + i))
  end
  local code, number = find_refused(jobs, bases, keys)
  if not code then code, number = find_group_full(jobs, queues) end
  if code then return {now, code, number} end
end
make_known(queue, ARGV[1])
local reply, has_waiting = {now}, false
-- Numbers are drawn at once, and lines are joined at once, where no job can be refused or moved for its parent.
local next_number
if is_plain then
  next_number = redis.call('INCRBY', base .. 'id', #jobs) - #jobs
  queue.together = {}
end
local function add_all()
  for _, job in ipairs(jobs) do
    if is_plain then
      next_number = next_number + 1
      job.number = next_number
    end
    local id, is_waiting = add_job(queue, now, job)
    reply[#reply + 1] = id
    has_waiting = has_waiting or is_waiting
  end
end
-- An error in the middle leaves what came before it added, so that must be in line.
local added, problem = pcall(add_all)
if is_plain and queue.together[1] then redis.call('LPUSH', base .. 'wait', unpack(queue.together)) end
if not added then error(problem) end
if has_waiting then mark_work_unless_closed(queue) end
return reply
