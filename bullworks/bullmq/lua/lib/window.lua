local LISTS = {wait = true, paused = true, active = true}

-- Up to `limit` ids of a state, oldest (next out) first, past the first `skip`.
local function read_window(base, state, skip, limit)
  local window = {key = base .. state, is_list = LISTS[state], skip = skip}
  if not window.is_list then
    window.ids = redis.call('ZRANGE', window.key, skip, skip + limit - 1)
    return window
  end
  -- The tail is next out.
  local newest_first = redis.call('LRANGE', window.key, -skip - limit, -skip - 1)
  window.ids = {}
  for i = #newest_first, 1, -1 do window.ids[#window.ids + 1] = newest_first[i] end
  return window
end

local function window_size(window)
  return redis.call(window.is_list and 'LLEN' or 'ZCARD', window.key)
end

-- Takes ids of the window out of their state.
local function take_out(window, ids)
  if #ids == 0 then return end
  if #ids == #window.ids then
    -- Mostly none of them is kept: then they stand side by side.
    if not window.is_list then
      redis.call('ZREMRANGEBYRANK', window.key, window.skip, window.skip + #ids - 1)
      return
    elseif window.skip == 0 then
      redis.call('LTRIM', window.key, 0, -#ids - 1)
      return
    end
  end
  if not window.is_list then
    redis.call('ZREM', window.key, unpack(ids))
    return
  end
  -- One pass over the list, not one per id: '' is the id of no job.
  local leaves, count = {}, 0
  for _, id in ipairs(ids) do leaves[id] = true end
  for i, id in ipairs(window.ids) do
    if leaves[id] then
      redis.call('LSET', window.key, -window.skip - i, '')
      count = count + 1
    end
  end
  -- It looks at all from one end to there, so from the nearer one.
  local past = redis.call('LLEN', window.key) - window.skip - #window.ids
  redis.call('LREM', window.key, past < window.skip and count or -count, '')
end
