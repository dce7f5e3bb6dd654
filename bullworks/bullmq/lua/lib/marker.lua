-- The marker wakes one blocked worker. Member 0: there is work now. Member 1: the next delayed job, score = its ms.
local function mark_work(queue)
  redis.call('ZADD', queue.base .. 'marker', 0, '0')
end

local function mark_work_unless_closed(queue)
  if not is_closed(queue) then mark_work(queue) end
end

local function mark_next_delayed(queue)
  local next_job = redis.call('ZRANGE', queue.base .. 'delayed', 0, 0, 'WITHSCORES')
  if next_job[2] then
    redis.call('ZADD', queue.base .. 'marker', math.floor(next_job[2] / 4096), '1')
  end
end
