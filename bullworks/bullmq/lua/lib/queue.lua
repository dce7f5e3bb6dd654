-- What a script must know of its queue, read in one command: limits, pause, and the length of the event stream.
local function read_queue(base)
  local meta = redis.call('HMGET', base .. 'meta', 'paused', 'concurrency', 'max', 'duration', 'opts.maxLenEvents')
  return {
    base = base,
    paused = meta[1],
    concurrency = tonumber(meta[2]),
    max = tonumber(meta[3]),
    duration = tonumber(meta[4]),
    max_events = meta[5] or '10000',
    known = meta[5],
  }
end

-- Paused, or as many jobs active as the whole fleet may run: nobody could take a job now.
local function is_closed(queue)
  if queue.paused then return true end
  return queue.concurrency and redis.call('LLEN', queue.base .. 'active') >= queue.concurrency
end
