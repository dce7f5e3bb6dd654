-- include: lib/family.lua
-- include: lib/deduplication.lua
-- include: lib/group_leave.lua

-- What others know of a job that is removed before it finished: its parent waits for it, a deduplication id is its.
-- The caller deletes it, and lets it leave its group, whose id this returns: until then a child that goes may bring it in
-- line.
local function take_leave(queue, now, id)
  local key = queue.base .. id
  local fields = redis.pcall('HMGET', key, 'parentKey', 'parent', 'deid', 'gid')
  if fields.err then return end
  if fields[3] then remove_deduplication(queue, fields[3], id) end
  local parent = read_parent(fields[1], fields[2])
  if parent then child_removed(parent, key, now) end
  return fields[4]
end

-- The same where jobs of a queue are removed wholesale: a parent in it whose last child goes so has nothing left to run
-- for, and goes too, up to the root. One of another queue was not meant: it runs. `fields`: parentKey, parent, deid and gid,
-- where they have been read.
local function take_leave_with_parents(queue, id, now, fields)
  fields = fields or redis.pcall('HMGET', queue.base .. id, 'parentKey', 'parent', 'deid', 'gid')
  if fields.err or not (fields[1] or fields[3] or fields[4]) then return end
  if fields[3] then remove_deduplication(queue, fields[3], id) end
  if fields[4] then leave_group(queue, id, fields[4]) end
  local child_key, parent = queue.base .. id, read_parent(fields[1], fields[2])
  while parent do
    if parent.base ~= queue.base then return child_removed(parent, child_key, now) end
    if redis.call('SREM', parent.key .. ':dependencies', child_key) == 0
      or redis.call('SCARD', parent.key .. ':dependencies') > 0
      or redis.call('ZREM', parent.base .. 'waiting-children', parent.id) == 0 then return end
    local above = redis.call('HMGET', parent.key, 'parentKey', 'parent', 'deid', 'gid')
    if above[3] then remove_deduplication(queue, above[3], parent.id) end
    if above[4] then leave_group(queue, parent.id, above[4]) end
    delete_job(parent.base, parent.id)
    child_key, parent = parent.key, read_parent(above[1], above[2])
  end
end
