-- include: lib/wrong_type.lua

-- The text of the error where a key of others that the end of a job touches, that of its deduplication id or one of its
-- parent's, is of another type; nil: none is. `parent`: as read_parent returns it.
local function wrong_relation(base, deduplication_id, parent)
  local wrong = deduplication_id and (wrong_type(base .. 'de:' .. deduplication_id, 'string')
    or wrong_type(base .. 'dn:' .. deduplication_id, 'hash'))
  if wrong then return wrong end
  if not parent then return nil end
  local family = {dependencies = 'set', processed = 'hash', failed = 'hash', unsuccessful = 'zset'}
  local places = {['waiting-children'] = 'zset', wait = 'list', prioritized = 'zset', pc = 'string',
    delayed = 'zset', failed = 'zset', marker = 'zset', events = 'stream'}
  wrong = wrong_type(parent.key, 'hash')
  for suffix, expected in pairs(family) do wrong = wrong or wrong_type(parent.key .. ':' .. suffix, expected) end
  for suffix, expected in pairs(places) do wrong = wrong or wrong_type(parent.base .. suffix, expected) end
  return wrong or nil
end
