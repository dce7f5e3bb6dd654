-- include: lib/family.lua
-- include: lib/remove.lua

-- A failed child that nobody can retry any more is not waited for; a completed one no longer is.
local function forget(base, now, ids, completed)
  if not completed then
    for _, id in ipairs(ids) do
      local fields = redis.pcall('HMGET', base .. id, 'parentKey', 'parent')
      local parent = not fields.err and read_parent(fields[1], fields[2])
      if parent then child_removed(parent, base .. id, now) end
    end
  end
  delete_jobs(base, ids)
end

local function apply_retention(base, finished_key, now, retention, completed)
  if retention.age then
    local oldest = now - retention.age * 1000
    local limit = math.min(retention.limit or 1000, 1000)
    local old = redis.call('ZRANGEBYSCORE', finished_key, '-inf', oldest, 'LIMIT', 0, limit)
    if #old > 0 then
      forget(base, now, old, completed)
      redis.call('ZREM', finished_key, unpack(old))
    end
  end
  if retention.count then
    -- At most 1,000 a call: a limit that was lowered on a long history is reached step by step.
    local surplus = math.min(redis.call('ZCARD', finished_key) - retention.count, 1000)
    if surplus > 0 then
      forget(base, now, redis.call('ZRANGE', finished_key, 0, surplus - 1), completed)
      redis.call('ZREMRANGEBYRANK', finished_key, 0, surplus - 1)
    end
  end
end
