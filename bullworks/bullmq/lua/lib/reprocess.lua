-- include: lib/family.lua
-- include: lib/key_types.lua

-- To be called before the first write: of the keys of others that reprocess touches, one of another type is an error.
local function refuse_wrong_parent_types(queue, id)
  local parent_key = redis.call('HGET', queue.base .. id, 'parentKey')
  if not parent_key then return end
  for suffix, expected in pairs({dependencies = 'set', processed = 'hash', failed = 'hash', unsuccessful = 'zset'}) do
    refuse_wrong_type(parent_key .. ':' .. suffix, expected)
  end
end

-- A finished job, already taken out of `state`, waits again as if it had not finished; attempts, traces, and what came
-- of attempts before the last, stay.
local function reprocess(queue, id, state, lifo)
  local key = queue.base .. id
  -- `defa`: it was cancelled as it completed.
  redis.call('HDEL', key, 'finishedOn', 'processedOn', 'defa', state == 'failed' and 'failedReason' or 'returnvalue')
  local fields = redis.call('HMGET', key, 'priority', 'parentKey', 'gid')
  add_to_end(queue, id, priority_in_line(queue, id, fields[1], fields[3]), lifo)
  if fields[2] then child_reprocessed(fields[2], key, state) end
  emit(queue, 'waiting', 'jobId', id, 'prev', state)
  mark_work_unless_closed(queue)
end
