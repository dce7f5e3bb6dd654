--[[ fetch: take jobs for a worker, after its blocking wait on the marker.
  KEYS    1 base  the common prefix of the queue's keys; touched: delayed, wait, prioritized, pc, active, marker, limiter,
                  meta, events, bw:*, and the job hashes and locks
  ARGV    1 want              jobs, 0 .. 50
          2 token             string  stored in each job's lock
          3 lock_ms           ms
          4 worker_name       string  '' for none
          5 limiter_max       jobs per duration, '' for none; the queue's own limit wins
          6 limiter_duration  ms, '' for none; the worker's wins
          7 holds             jobs the worker holds already, so that jobs which stalled twice are passed and run alone;
                              -1 - holds where it has passed some for long enough; '' to let them run among others
  RETURNS list  {id, hash, id, hash, ...}; state 0 open, 1 paused, 2 full, 3 rate limited, 4 suspects wait, or one runs
                alone; ms until the limit ends or the next delayed job is due, -1 unknown; now ms
  EVENTS  waiting (prev=delayed), active, delayed (a job whose group may not start it now)
]]
-- include: lib/now.lua
-- include: lib/fetch.lua
local queue, now = read_queue(KEYS[1]), now_ms()
local jobs, state, wait_ms = fetch(queue, now, read_fetch_options(1))
return {jobs, state, wait_ms, now}
