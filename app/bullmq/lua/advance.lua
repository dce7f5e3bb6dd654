--[[ advance: store a batch of outcomes and take the next jobs, in one trip.
  KEYS    1 base  the common prefix of the queue's keys; touched: all that fetch touches, and completed, failed, stalled,
                  and all keys of jobs that retention removes
  ARGV    1..7  as in fetch
          8...  seven per outcome:
                kind       complete, fail, retry, delay, hand_back (its handler had begun) or release (it had not)
                id         string
                token      string  must be in the job's lock
                value      JSON result (complete), or the reason as text (fail, retry, delay)
                retention  '' all, 'N' newest, 'N/AGE s/LIMIT' (complete, fail)
                stack      JSON list of stack traces (fail, retry, delay)
                extra      '1': attempts are used up (fail), lifo (retry); ms (delay)
  RETURNS list  codes per outcome: 0 stored; -1 job gone; -2 no lock; -3 not active; -4 open children; -6 another's lock;
                -9 failed children; a text: a key of another type; then jobs, state, ms, now as in fetch; a text
                for the state: fetching failed with it
  EVENTS  completed, failed, retries-exhausted, delayed, waiting (prev=active, prev=delayed), active, drained; of the job
          that a deduplication id kept for later, added, delayed, waiting or waiting-children
]]
-- include: lib/now.lua
-- include: lib/finish.lua
-- include: lib/fetch.lua
local FIELDS = 7
local queue, now = read_queue(KEYS[1]), now_ms()
local codes, has_finished = {}, false
for at = FETCH_ARGUMENTS + 1, #ARGV, FIELDS do
  local kind = ARGV[at]
  local code = finish(queue, now, {kind = kind, id = ARGV[at + 1], token = ARGV[at + 2], value = ARGV[at + 3],
    retention = ARGV[at + 4], stack = ARGV[at + 5], extra = ARGV[at + 6]})
  codes[#codes + 1] = code
  if code == 0 and (kind == 'complete' or kind == 'fail') then has_finished = true end
end
-- The outcomes are stored: an error in fetching must not hide their codes.
local is_fetched, jobs, state, wait_ms = pcall(fetch, queue, now, read_fetch_options(1))
if not is_fetched then
  local problem = jobs
  return {codes, {}, type(problem) == 'table' and problem.err or tostring(problem), -1, now}
end
if has_finished and #jobs == 0 and redis.call('LLEN', KEYS[1] .. 'wait') == 0
  and redis.call('LLEN', KEYS[1] .. 'active') == 0 and redis.call('ZCARD', KEYS[1] .. 'prioritized') == 0 then
  emit(queue, 'drained')
end
return {codes, jobs, state, wait_ms, now}
