-- All keys that a job may own, besides its place in a list or set. Returns how many there were.
local function delete_job(base, id)
  local key = base .. id
  return redis.call('DEL', key, key .. ':lock', key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed',
    key .. ':unsuccessful')
end

local KEYS_A_JOB = 7
-- Lua puts no more than some 8,000 values into one command.
local JOBS_A_COMMAND = 500

local function delete_jobs(base, ids)
  local keys, count = {}, 0
  for i, id in ipairs(ids) do
    local key = base .. id
    keys[count + 1], keys[count + 2], keys[count + 3] = key, key .. ':lock', key .. ':logs'
    keys[count + 4], keys[count + 5] = key .. ':dependencies', key .. ':processed'
    keys[count + 6], keys[count + 7] = key .. ':failed', key .. ':unsuccessful'
    count = count + KEYS_A_JOB
    if i % JOBS_A_COMMAND == 0 or i == #ids then
      redis.call('DEL', unpack(keys, 1, count))
      count = 0
    end
  end
end
