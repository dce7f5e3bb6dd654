--[[ remove_child_dependency: a child and its parent part; the parent does not wait for it any more.
  KEYS    1 base  the common prefix of the child's queue's keys; touched: the child's hash, and of the parent, whose queue may
                  be another, its hash, dependencies, waiting-children, wait, prioritized, delayed, marker, meta and events
  ARGV    1 id    string  the child
  RETURNS int     1 parted; 0 the parent did not wait for it, and nothing was changed; -1 there is no such job; -5 it has
                  no parent, or that is gone
  EVENTS  waiting (prev=waiting-children), delayed
]]
-- include: lib/now.lua
-- include: lib/family.lua
local PARTED, NOT_WAITED_FOR, GONE, MISSING_PARENT = 1, 0, -1, -5
local key = KEYS[1] .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return GONE end
local fields = redis.call('HMGET', key, 'parentKey', 'parent')
local parent = read_parent(fields[1], fields[2])
if not parent or redis.call('EXISTS', parent.key) == 0 then return MISSING_PARENT end
if redis.call('SISMEMBER', parent.key .. ':dependencies', key) == 0 then return NOT_WAITED_FOR end
child_removed(parent, key, now_ms())
redis.call('HDEL', key, 'parentKey', 'parent')
return PARTED
