--[[ get_state: where a job is.
  KEYS    1 base  the common prefix of the queue's keys; read: every list and set of the queue
  ARGV    1 id    string
  RETURNS string  completed, failed, delayed, prioritized, waiting-children, active, wait, paused; nil: in none of them
  EVENTS  none
]]
-- include: lib/key_types.lua
-- include: lib/place.lua
refuse_wrong_types(KEYS[1])
return place_of(KEYS[1], ARGV[1]) or false
