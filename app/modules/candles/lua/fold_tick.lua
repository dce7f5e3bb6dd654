--[[ fold_tick: make a price part of its candle. In whatever order prices come, and however often, the candle is the same.
  KEYS    1 starts  zset  starts of candles, by themselves
          2 values  hash  start -> open_at open high low close_at close, a space between each
  ARGV    1 start_ms  ms      of the candle
          2 at_ms     ms      of the price
          3 price     number  as it was written
          4 keep      int     how many candles are kept, the latest
  RETURNS int  1 the candle is new; 0 it was there; -1 it is older than all that are kept
  EVENTS  none
]]
local starts, values, start, at, price = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local keep = tonumber(ARGV[4])

local stored = redis.call('HGET', values, start)
if not stored then
  if redis.call('ZCARD', starts) >= keep then
    local oldest = redis.call('ZRANGE', starts, 0, 0)[1]
    if tonumber(oldest) > tonumber(start) then
      return -1
    end
    redis.call('ZREM', starts, oldest)
    redis.call('HDEL', values, oldest)
  end
  redis.call('ZADD', starts, start, start)
  redis.call('HSET', values, start, table.concat({ARGV[2], price, price, price, ARGV[2], price}, ' '))
  return 1
end

local open_at, open, high, low, close_at, close = string.match(stored, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
local number = tonumber(price)
-- Two prices of one moment: the lower opens and the higher closes, whichever came first.
if at < tonumber(open_at) or (at == tonumber(open_at) and number < tonumber(open)) then
  open_at, open = ARGV[2], price
end
if at > tonumber(close_at) or (at == tonumber(close_at) and number > tonumber(close)) then
  close_at, close = ARGV[2], price
end
if number > tonumber(high) then
  high = price
end
if number < tonumber(low) then
  low = price
end
redis.call('HSET', values, start, table.concat({open_at, open, high, low, close_at, close}, ' '))
return 0
