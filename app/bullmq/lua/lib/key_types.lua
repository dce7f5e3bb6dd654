-- include: lib/wrong_type.lua

local KEY_TYPES = {
  meta = 'hash', wait = 'list', paused = 'list', active = 'list', prioritized = 'zset', delayed = 'zset',
  completed = 'zset', failed = 'zset', ['waiting-children'] = 'zset', marker = 'zset', events = 'stream',
  stalled = 'set', ['repeat'] = 'zset', pc = 'string',
}

-- Rare scripts look at all keys of the queue first: they then fail before they wrote, and with the key's name.
local function refuse_wrong_types(base)
  for suffix, expected in pairs(KEY_TYPES) do
    local wrong = wrong_type(base .. suffix, expected)
    if wrong then error({err = wrong}) end
  end
end

-- The same for one job's own key.
local function refuse_wrong_type(key, expected)
  local wrong = wrong_type(key, expected)
  if wrong then error({err = wrong}) end
end
