--[[ register_queue: make the queue known, as its first job would; Bull Board finds queues by their `meta`.
  KEYS    1 base     the common prefix of the queue's keys, `bull:<queue>:`; touched: meta
  ARGV    1 version  string  stored where none is
  RETURNS int        1 the queue was new; 0 it was known
  EVENTS  none
]]
-- include: lib/queue.lua
-- include: lib/key_types.lua
refuse_wrong_types(KEYS[1])
local queue = read_queue(KEYS[1])
redis.call('HSETNX', KEYS[1] .. 'meta', 'opts.maxLenEvents', queue.max_events)
redis.call('HSETNX', KEYS[1] .. 'meta', 'version', ARGV[1])
return queue.known and 0 or 1
