-- include: lib/group_join.lua
-- include: lib/wrong_type.lua

-- Which of some new jobs could not be added, before any of them is: so that all or none of them are.
-- Within add.lua's scripts, whose codes it answers.

-- Whether a job with this deduplication id is stored, and not one that stands for it.
local function is_deduplicated(base, job, owned)
  if not job.dedup then return false end
  local key = base .. 'de:' .. job.dedup.id
  local is_owned = owned[key] or redis.call('EXISTS', key) == 1
  owned[key] = true
  return is_owned
end

-- jobs: as read_new_job made them; bases, keys: of each its queue's and its own. A parent may be among them, before its
-- children. Returns the code and the number of the first that is refused; nil: none is.
local function find_refused(jobs, bases, keys)
  local is_there, parent_keys, owned = {}, {}, {}
  for i, job in ipairs(jobs) do
    local key = keys[i]
    if job.parent_key then
      if not is_there[job.parent_key] and redis.call('EXISTS', job.parent_key) == 0 then return MISSING_PARENT, i end
      local other = parent_keys[key] or redis.call('HGET', key, 'parentKey')
      if other and other ~= job.parent_key and (is_there[other] or redis.call('EXISTS', other) == 1) then
        return OTHER_PARENT, i
      end
      parent_keys[key] = job.parent_key
    end
    if not is_deduplicated(bases[i], job, owned) then is_there[key] = true end
  end
  return nil
end

-- Fails with the name of the key that is of another type, of those that joining a group writes.
local function refuse_group_types(base, group)
  local wrong = wrong_type(base .. 'bw:limits', 'hash') or wrong_type(base .. 'bw:clock', 'hash')
    or wrong_type(base .. 'bw:groups', 'zset') or wrong_type(base .. 'bw:group:' .. group, 'zset')
  if wrong then error({err = wrong}) end
end

-- The same for jobs whose groups have as many as they may; queues: of each its queue.
local function find_group_full(jobs, queues)
  local pending = {}
  for i, job in ipairs(jobs) do
    if job.group then
      refuse_group_types(queues[i].base, job.group.id)
      local key = queues[i].base .. job.group.id
      local before = pending[key] or 0
      if not has_group_room(queues[i], job.group.id, before) then return GROUP_FULL, i end
      pending[key] = before + 1
    end
  end
  return nil
end
