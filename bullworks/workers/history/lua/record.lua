--[[ record: adds what a worker process counted in one minute, of one queue: to that minute, its hour, its day and all
time, of the queue and of all queues together.
  KEYS    1 minutes  hash    minute -> tally, of the queue; expires
          2 hours    hash    hour -> tally; expires
          3 days     hash    day -> tally; expires
          4 ever     string  tally; expires
          5 - 8              the same of all queues together
          9 queues   zset    queue -> when it was last recorded, ms
  ARGV    1 tally    string  `completed failed retried oldest;run;wait`, run and wait as `sum bucket:count ...`
          2 minute   string  the field in minutes
          3 hour     string  the field in hours
          4 day      string  the field in days
          5 lives    int     ms that minutes live after they were last written
          6 lives    int     ms that hours live
          7 lives    int     ms that days, ever and a queue in KEYS[9] live
          8 at       int     ms, when the minute began
          9 queue    string  its name
  RETURNS int        1
  EVENTS  none
]]

local function read_histogram(text)
  local sum, buckets = 0, {}
  for word in string.gmatch(text, '%S+') do
    local bucket, count = string.match(word, '^(%d+):(%d+)$')
    if bucket then buckets[tonumber(bucket)] = tonumber(count) else sum = tonumber(word) or 0 end
  end
  return {sum = sum, buckets = buckets}
end

local function read(text)
  local completed, failed, retried, oldest, run, wait =
    string.match(text or '', '^(%d+) (%d+) (%d+) (%d+);([%d: ]*);([%d: ]*)$')
  if not completed then return nil end
  return {
    counts = {tonumber(completed), tonumber(failed), tonumber(retried)},
    oldest = tonumber(oldest),
    run = read_histogram(run),
    wait = read_histogram(wait),
  }
end

local function whole(number)
  return string.format('%.0f', number)
end

local function write_histogram(histogram)
  local order = {}
  for bucket in pairs(histogram.buckets) do order[#order + 1] = bucket end
  table.sort(order)
  local words = {whole(histogram.sum)}
  for _, bucket in ipairs(order) do
    words[#words + 1] = bucket .. ':' .. whole(histogram.buckets[bucket])
  end
  return table.concat(words, ' ')
end

local function sum_histograms(one, other)
  local buckets = {}
  for bucket, count in pairs(one.buckets) do buckets[bucket] = count end
  for bucket, count in pairs(other.buckets) do buckets[bucket] = (buckets[bucket] or 0) + count end
  return {sum = one.sum + other.sum, buckets = buckets}
end

-- What a text says, and the new tally; a text that nobody of ours wrote says nothing.
local added = read(ARGV[1])
if not added then return redis.error_reply('ERR the tally cannot be read') end

local function sum_with(text)
  local had = read(text)
  if not had then return ARGV[1] end
  local counts = {}
  for i = 1, 3 do counts[i] = whole(had.counts[i] + added.counts[i]) end
  counts[4] = whole(math.max(had.oldest, added.oldest))
  local run, wait = sum_histograms(had.run, added.run), sum_histograms(had.wait, added.wait)
  return table.concat(counts, ' ') .. ';' .. write_histogram(run) .. ';' .. write_histogram(wait)
end

for first = 1, 5, 4 do
  for tier = 0, 2 do
    local key, field = KEYS[first + tier], ARGV[tier + 2]
    redis.call('HSET', key, field, sum_with(redis.call('HGET', key, field)))
    redis.call('PEXPIRE', key, ARGV[tier + 5])
  end
  redis.call('SET', KEYS[first + 3], sum_with(redis.call('GET', KEYS[first + 3])), 'PX', ARGV[7])
end
redis.call('ZADD', KEYS[9], 'GT', ARGV[8], ARGV[9])
redis.call('ZREMRANGEBYSCORE', KEYS[9], '-inf', tonumber(ARGV[8]) - tonumber(ARGV[7]))
return 1
