-- include: lib/enqueue.lua

-- A finished job, already taken out of `state`, waits again as if it had not finished; attempts and traces stay.
local function reprocess(queue, id, state, lifo)
  local key = queue.base .. id
  redis.call('HDEL', key, 'finishedOn', 'processedOn', 'failedReason', 'returnvalue', 'defa')
  add_to_end(queue, id, tonumber(redis.call('HGET', key, 'priority')) or 0, lifo)
  emit(queue, 'waiting', 'jobId', id, 'prev', state)
  mark_work_unless_closed(queue)
end
