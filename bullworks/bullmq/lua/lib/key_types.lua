-- include: lib/wrong_type.lua

local KEY_TYPES = {
  meta = 'hash', wait = 'list', paused = 'list', active = 'list', prioritized = 'zset', delayed = 'zset',
  completed = 'zset', failed = 'zset', ['waiting-children'] = 'zset', marker = 'zset', events = 'stream',
  stalled = 'set', ['repeat'] = 'zset', pc = 'string',
}

-- A script that looks at its keys first fails before it wrote, and with the key's name: a frequent one at those that it
-- writes, a rare one at all of the queue's.
local function refuse_wrong_types_of(base, suffixes)
  for _, suffix in ipairs(suffixes) do
    local wrong = wrong_type(base .. suffix, KEY_TYPES[suffix])
    if wrong then error({err = wrong}) end
  end
end

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
