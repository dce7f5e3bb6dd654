--[[ add_jobs: store jobs and put each where a worker will find it, all in one step.
  KEYS    1 base     the common prefix of the queue's keys, `bull:<queue>:`; touched: id, meta, wait, delayed, prioritized,
                     pc, marker, events, active (read), completed (read), de:*, dn:*, the job hashes, and of a parent, whose
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
                               dedup {id, ttl ms, extend, replace, reschedule, keep_last_if_active}}
  RETURNS list  the time in ms, then per job its id, or the id of the job that stands for it (an equal id, or
                deduplication id), or -5: its parent is missing, -7: the job of that id has another parent
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
make_known(queue, ARGV[1])
local reply, has_waiting = {now}, false
-- Numbers are drawn at once, and lines are joined at once, where no job can be refused or moved for its parent.
local next_number
if is_plain then
  local count = (#ARGV - 1) / JOB_FIELDS
  next_number = redis.call('INCRBY', base .. 'id', count) - count
  queue.together = {}
end
local function add_all()
  for at = 2, #ARGV, JOB_FIELDS do
    local job = read_new_job(at, now)
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
