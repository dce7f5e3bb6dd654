-- include: lib/family.lua
-- include: lib/deduplication.lua
-- include: lib/group_join.lua

-- What else there may be to a new job: an id that is taken, a deduplication id, a group. Within add.lua, whose names it uses.

-- The id is taken: nothing is added, but the job that has it may become a child of the new one's parent.
local function keep_existing(queue, now, job, id)
  if job.parent_key then
    local key = queue.base .. id
    local fields = redis.call('HMGET', key, 'parentKey', 'returnvalue')
    if fields[1] and fields[1] ~= job.parent_key and redis.call('EXISTS', fields[1]) == 1 then return OTHER_PARENT end
    emit(queue, 'duplicated', 'jobId', id)
    -- The same parent again: it may take a failure of this child otherwise now.
    redis.call('HSET', key, 'parentKey', job.parent_key, 'parent', job.parent)
    redis.call('SADD', job.parent_key .. ':dependencies', key)
    if redis.call('ZSCORE', queue.base .. 'completed', id) then
      child_completed(read_parent(job.parent_key, job.parent), key, fields[2] or 'null', now)
    end
    return id
  end
  emit(queue, 'duplicated', 'jobId', id)
  return id
end
