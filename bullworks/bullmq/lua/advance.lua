--[[ advance: store a batch of outcomes and take the next jobs, in one trip.
  KEYS    1 base  the common prefix of the queue's keys; touched: all that fetch touches, and completed, failed,
                  stalled, waiting-children, metrics:*, de:*, dn:*, all keys of jobs that retention removes, and of the
                  jobs' parents, whose queues may be others
  ARGV    1..7  as in fetch; a want below 0: so many as it is above, but none where the first outcome was refused
          8     points kept of completed and of failed jobs a minute, '' to count none
          9...  seven per outcome, of 50 at most:
                kind       complete, fail, retry, delay; hand_back (its handler had begun) or release (it had not);
                           postpone, suspend, wait_for_children (its handler moves it)
                id         string
                token      string  must be in the job's lock
                value      JSON result (complete), the reason as text (fail, retry, delay), the key of the one child to
                           wait for, '' for all (wait_for_children), the field of the job's hash that marks it (suspend)
                retention  '' all, 'N' newest, 'N/AGE s/LIMIT' (complete, fail); the field that ends a wait by being there,
                           '' for a sleep (suspend)
                stack      JSON list of stack traces; where there is telemetry, behind a line feed, which JSON has
                           none of, where in a trace that was (fail, retry, delay); the number of the mark (suspend)
                extra      '1': attempts are used up (fail), lifo (retry); ms from now (delay), '' for ever (suspend); ms
                           since the epoch (postpone)
  RETURNS list  codes per outcome: 0 stored; -1 job gone; -2 no lock; -3 not active; -4 open children; -6 another's
                lock; -9 failed children; 1 nothing to wait for (wait_for_children, suspend); a text: a key of another type,
                nothing is stored; then jobs, state, ms, now as in fetch; a text for the state: fetching failed with it
  EVENTS  completed, failed, retries-exhausted, delayed, waiting (prev=active, prev=delayed, prev=waiting-children),
          waiting-children (prev=active), active, drained; added, of the job kept for a deduplication id
]]
-- include: lib/now.lua
-- include: lib/finish.lua
-- include: lib/fetch.lua
-- include: lib/metrics.lua
local queue, now = read_queue(KEYS[1]), now_ms()
local codes, batch = finish(queue, now, FETCH_ARGUMENTS + 2)
local most_points = tonumber(ARGV[FETCH_ARGUMENTS + 1])
-- The outcomes are stored: an error from here on must not hide their codes.
if most_points then
  for _, kind in ipairs({'completed', 'failed'}) do
    if batch[kind] then pcall(count_ended, KEYS[1], kind, now, batch[kind], most_points) end
  end
end
local options = read_fetch_options(1)
if options.want < 0 then options.want = codes[1] == 0 and -options.want or 0 end
local is_fetched, jobs, state, wait_ms = pcall(fetch, queue, now, options)
if not is_fetched then return {codes, {}, text_of(jobs), -1, now} end
-- Where the fleet was full, a waiting worker may have used the marker up in vain: a place is free, so wake one.
if queue.concurrency and batch.size > 0 and #jobs == 0
  and redis.call('EXISTS', KEYS[1] .. 'wait', KEYS[1] .. 'prioritized') > 0 then
  mark_work_unless_closed(queue)
end
if (batch.completed or batch.failed) and #jobs == 0
  and redis.call('EXISTS', KEYS[1] .. 'wait', KEYS[1] .. 'active', KEYS[1] .. 'prioritized') == 0 then
  emit(queue, 'drained')
end
return {codes, jobs, state, wait_ms, now}
