-- include: lib/enqueue.lua

-- A job that left `active` returns to the head of its line as if it had not been taken: no attempt and no stall is
-- counted. `unstarted`: its handler never ran, so the fetch is undone too.
local function hand_back(queue, id, priority, unstarted)
  local key = queue.base .. id
  redis.call('DEL', key .. ':lock')
  -- Where that is no number there is nothing to undo.
  if unstarted then redis.pcall('HINCRBY', key, 'ats', -1) end
  add_to_head(queue, id, priority)
  emit(queue, 'waiting', 'jobId', id, 'prev', 'active')
end
