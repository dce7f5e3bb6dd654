-- include: lib/whole.lua

-- Jobs that ended, by minute: the hash `metrics:<kind>` counts them all, and holds the time and the count of the last
-- minute that has its point in the list `metrics:<kind>:data`. A point is what one minute added; the newest is first.

local MINUTE_MS = 60000

-- `count` jobs ended now. A minute gets its point with the first job after it.
local function count_ended(base, kind, now, count, most_points)
  local key = base .. 'metrics:' .. kind
  local last = redis.call('HMGET', key, 'count', 'prevTS', 'prevCount')
  local so_far = tonumber(last[1]) or 0
  redis.call('HINCRBY', key, 'count', count)
  if not last[2] then
    redis.call('HSET', key, 'prevTS', whole(now), 'prevCount', 0)
    return
  end
  local minutes = math.min(math.floor(now / MINUTE_MS) - math.floor(last[2] / MINUTE_MS), most_points)
  if minutes <= 0 then return end
  -- The last of them saw all that came since; in those after it nothing ended.
  local points = {so_far - (tonumber(last[3]) or 0)}
  for i = 2, minutes do points[i] = 0 end
  for from = 1, minutes, 5000 do
    redis.call('LPUSH', key .. ':data', unpack(points, from, math.min(from + 4999, minutes)))
  end
  redis.call('LTRIM', key .. ':data', 0, most_points - 1)
  redis.call('HSET', key, 'prevTS', whole(now), 'prevCount', so_far)
end
