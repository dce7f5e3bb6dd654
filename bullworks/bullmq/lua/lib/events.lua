-- Appends one event for QueueEvents and dashboards. The first of a script call trims the stream, and every 100th after
-- it: trimming with each would cost a fifth of the command.
local emitted = 0
local function emit(queue, event, ...)
  local key = queue.events
  if not key then
    key = queue.base .. 'events'
    queue.events = key
  end
  if emitted % 100 == 0 then
    redis.call('XADD', key, 'MAXLEN', '~', queue.max_events, '*', 'event', event, ...)
  else
    redis.call('XADD', key, '*', 'event', event, ...)
  end
  emitted = emitted + 1
end
