-- Appends one event for QueueEvents and dashboards; the stream is trimmed as it grows.
local function emit(queue, event, ...)
  redis.call('XADD', queue.base .. 'events', 'MAXLEN', '~', queue.max_events, '*', 'event', event, ...)
end
