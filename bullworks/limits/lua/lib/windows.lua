-- What a key of a limit has used, in each of its windows, in hundredths of the window's length, buckets. A cost counts while its
-- bucket does: for the window's length, and up to a hundredth of it more, so that no stretch of that length ever holds too much.
-- In the hash, by the window's length in ms: `<per>:used`, the sum of its buckets; `<per>:last`, the number of the newest bucket
-- that it was brought up to; `<per>:<0..100>`, costs, in the place of the bucket's number modulo 101.
local BUCKETS = 100
local PLACES = BUCKETS + 1

local function whole(number)
  return string.format('%.0f', number)
end

-- A refusal asks for all: so small a number is text without formatting.
local function place(window, bucket)
  return window.per .. ':' .. bucket % PLACES
end

-- Buckets that count no more leave the sum.
local function forget(key, window, last)
  local places = {}
  for bucket = math.max(last, window.current - PLACES) + 1, window.current do
    places[#places + 1] = place(window, bucket)
  end
  if #places == 0 then return end
  for _, cost in ipairs(redis.call('HMGET', key, unpack(places))) do
    window.used = window.used - (tonumber(cost) or 0)
  end
  redis.call('HDEL', key, unpack(places))
  redis.call('HSET', key, window.per .. ':used', whole(window.used), window.per .. ':last', whole(window.current))
end

-- Counts of more than a window ahead are of a clock that was set back since: they would close the limit for as long.
local function forget_all(key, window)
  local fields = {window.per .. ':used', window.per .. ':last'}
  for bucket = 0, PLACES - 1 do fields[#fields + 1] = place(window, bucket) end
  redis.call('HDEL', key, unpack(fields))
  window.used = 0
end

-- A window as it is now. most: what it holds; per: its length in ms, a text.
local function read_window(key, now, most, per)
  local stored = redis.call('HMGET', key, per .. ':used', per .. ':last')
  local width = tonumber(per) * 1000 / BUCKETS
  local current, last = math.floor(now / width), tonumber(stored[2])
  local is_ahead = last and last - current > BUCKETS
  -- A clock that stepped back a little must not fill buckets that count no more.
  if last and not is_ahead then current = math.max(current, last) end
  local window = {per = per, most = most, width = width, current = current, used = tonumber(stored[1]) or 0}
  if is_ahead then
    forget_all(key, window)
  elseif window.used > 0 then
    forget(key, window, last)
  end
  return window
end

-- The windows named in pairs of arguments from ARGV[first] on, and the longest one's length in us.
local function read_windows(key, now, first)
  local windows, longest = {}, 0
  for at = first, #ARGV, 2 do
    local window = read_window(key, now, tonumber(ARGV[at]), ARGV[at + 1])
    windows[#windows + 1] = window
    longest = math.max(longest, window.width * PLACES)
  end
  return windows, longest
end

-- Adds to a bucket; a cost below 0 takes away, but never more than is there.
local function count(key, window, bucket, cost)
  local field = place(window, bucket)
  local before = tonumber(redis.call('HGET', key, field)) or 0
  local after = math.max(before + cost, 0)
  window.used = window.used + after - before
  redis.call('HSET', key, field, whole(after), window.per .. ':used', whole(window.used),
    window.per .. ':last', whole(window.current))
end

-- us until so much of what was used counts no more.
local function leaves_in(key, window, now, cost)
  local places, passed = {}, PLACES
  for bucket = window.current - BUCKETS, window.current do places[#places + 1] = place(window, bucket) end
  for i, left in ipairs(redis.call('HMGET', key, unpack(places))) do
    cost = cost - (tonumber(left) or 0)
    if cost <= 0 then
      passed = i
      break
    end
  end
  return (window.current + passed) * window.width - now
end

-- The hash is kept for as long as anything in it matters, and a second. Both in us.
local function keep(key, now, longest, until_us)
  redis.call('PEXPIRE', key, whole(math.ceil(math.max(longest, until_us - now) / 1000) + 1000))
end
