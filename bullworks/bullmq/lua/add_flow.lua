--[[ add_flow: store trees of jobs, parents before their children, all or none of them.
  KEYS    1...      per job the common prefix of its queue's keys; touched: as in add_jobs, of each queue
  ARGV    1 version string  stored in `meta` where a queue is new
          2...      nine per job, as in add_jobs, in the order of KEYS; each has an id
  RETURNS list      the time in ms, then per job its id; or, and then nothing was stored, the time and two ints: the code
                    -5 (a job's parent is missing), -7 (a job of that id has another parent) or -12 (a job's group
                    has as many jobs as it may), and the number of the job in KEYS
  EVENTS  added, then delayed, waiting or waiting-children; duplicated; deduplicated, removed
]]
-- include: lib/now.lua
-- include: lib/family.lua
-- include: lib/group_join.lua
-- include: lib/add.lua
-- include: lib/find_refused.lua
local now = now_ms()
local queues, in_order, jobs, keys = {}, {}, {}, {}
for i, base in ipairs(KEYS) do
  queues[base] = queues[base] or read_queue(base)
  in_order[i] = queues[base]
  jobs[i] = read_new_job(2 + (i - 1) * JOB_FIELDS, now)
  keys[i] = base .. jobs[i].id
end
assert(#ARGV == 1 + #jobs * JOB_FIELDS)
local code, number = find_refused(jobs, KEYS, keys)
if not code then code, number = find_group_full(jobs, in_order) end
if code then return {now, code, number} end

-- All children are open before any is looked at: one that is completed already must not release a parent that still
-- gets others.
for i, job in ipairs(jobs) do
  if job.parent_key then redis.call('SADD', job.parent_key .. ':dependencies', keys[i]) end
end
local reply, has_waiting = {now}, {}
for i, job in ipairs(jobs) do
  local queue = queues[KEYS[i]]
  make_known(queue, ARGV[1])
  local id, is_waiting = add_job(queue, now, job)
  if id ~= job.id and job.parent_key then
    -- Deduplicated: the parent does not wait for a job that was not added.
    redis.call('SREM', job.parent_key .. ':dependencies', keys[i])
  end
  reply[#reply + 1] = id
  if is_waiting then has_waiting[KEYS[i]] = true end
end
for i, job in ipairs(jobs) do
  if job.waits_for_children then
    release_parent_if_alone({key = keys[i], id = job.id, base = KEYS[i]}, now)
  end
end
for base in pairs(has_waiting) do mark_work_unless_closed(queues[base]) end
return reply
