-- All keys that a job may own, besides its place in a list or set. Returns how many there were.
local function delete_job(base, id)
  local key = base .. id
  return redis.call('DEL', key, key .. ':lock', key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed',
    key .. ':unsuccessful')
end

local function delete_jobs(base, ids)
  for _, id in ipairs(ids) do delete_job(base, id) end
end
