--[[ event_bounds: which part of the event stream is still there.
  KEYS    1 base  the common prefix of the queue's keys; read: events
  ARGV    none
  RETURNS list    the ids of the oldest and of the newest event; '' and '' where there are none
  EVENTS  none
]]
local events = KEYS[1] .. 'events'
local oldest = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
if not oldest then return {'', ''} end
return {oldest[1], redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1][1]}
