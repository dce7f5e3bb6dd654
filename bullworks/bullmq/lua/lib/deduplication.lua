-- include: lib/enqueue.lua
-- include: lib/remove.lua

-- `de:<id>` holds the job that owns a deduplication id, with a TTL where the id outlives the job. `dn:<id>` holds the
-- latest job that came while the owner was active and is added when it ends (keep_last_if_active).

local function emit_deduplicated(queue, owner, deduplication_id, dropped)
  emit(queue, 'deduplicated', 'jobId', owner, 'deduplicationId', deduplication_id, 'deduplicatedJobId', dropped)
end

local function own(key, id, ttl)
  if ttl then redis.call('SET', key, id, 'PX', ttl) else redis.call('SET', key, id) end
end

-- A delayed owner makes room for the new job. A TTL runs on, unless it is to be extended or the new job has none.
local function replace_owner(queue, dedup, key, owner, id, ttl)
  if redis.call('ZREM', queue.base .. 'delayed', owner) == 0 then return false end
  delete_job(queue.base, owner)
  emit(queue, 'removed', 'jobId', owner, 'prev', 'delayed')
  redis.call('DEL', queue.base .. 'dn:' .. dedup.id)
  if ttl and not dedup.extend then redis.call('SET', key, id, 'KEEPTTL') else own(key, id, ttl) end
  emit_deduplicated(queue, id, dedup.id, owner)
  return true
end

-- The id must not be free while the owner runs, so a TTL that others gave it ends.
local function keep_for_later(queue, job, dedup, id)
  local key = queue.base .. 'dn:' .. dedup.id
  redis.call('PERSIST', queue.base .. 'de:' .. dedup.id)
  redis.call('DEL', key)
  redis.call('HSET', key, 'name', job.name, 'data', job.data, 'opts', job.opts, 'jid', id)
  if job.parent_key then
    redis.call('HSET', key, 'pk', job.parent_key, 'pd', job.parent, 'pdk', job.parent_key .. ':dependencies')
  end
  if job.scheduler_id then redis.call('HSET', key, 'rjk', job.scheduler_id) end
end

local function is_active(queue, id)
  return redis.call('LPOS', queue.base .. 'active', id) and true or false
end

-- The owner's new due time: the incoming job's delay from its timestamp.
local function reschedule_owner(queue, owner, due_ms, delay)
  if redis.call('ZREM', queue.base .. 'delayed', owner) == 0 then return end
  redis.call('HSET', queue.base .. owner, 'delay', delay)
  add_delayed(queue, owner, due_ms)
end

-- The id of the job that stands for this one, which is then not added; nil: add it, it owns the id now.
local function deduplicate(queue, job, id)
  local dedup = job.dedup
  local key = queue.base .. 'de:' .. dedup.id
  local ttl = not dedup.keep_last_if_active and dedup.ttl and dedup.ttl > 0 and dedup.ttl or nil
  local owner = redis.call('GET', key)
  -- An id with no ttl leaves with its job: one whose job is gone was left behind by an outage.
  if owner and redis.call('EXISTS', queue.base .. owner) == 0 and redis.call('PTTL', key) == -1 then
    redis.call('DEL', queue.base .. 'dn:' .. dedup.id)
    owner = nil
  end
  if not owner then
    own(key, id, ttl)
    return nil
  end
  if dedup.replace then
    if replace_owner(queue, dedup, key, owner, id, ttl) then return nil end
    if not dedup.keep_last_if_active then return owner end
  end
  emit_deduplicated(queue, owner, dedup.id, id)
  if dedup.keep_last_if_active and is_active(queue, owner) then
    keep_for_later(queue, job, dedup, id)
  elseif dedup.reschedule then
    reschedule_owner(queue, owner, job.timestamp + job.delay, job.delay)
  end
  if dedup.extend and ttl then own(key, owner, ttl) end
  return owner
end

-- A job that has ended gives its id free, unless the id has a life of its own.
local function release_deduplication(queue, deduplication_id, id)
  local key = queue.base .. 'de:' .. deduplication_id
  if redis.call('GET', key) == id and redis.call('PTTL', key) <= 0 then redis.call('DEL', key) end
end

-- A job that is removed takes its id with it, and what came for that while it ran.
local function remove_deduplication(queue, deduplication_id, id)
  local key = queue.base .. 'de:' .. deduplication_id
  if redis.call('GET', key) == id then redis.call('DEL', key, queue.base .. 'dn:' .. deduplication_id) end
end
