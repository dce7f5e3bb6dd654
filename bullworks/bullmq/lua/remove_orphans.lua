--[[ remove_orphans: remove what is left of jobs that no list or set names.
  KEYS    1 base  the common prefix of the queue's keys; touched: every list and set of the queue, and all keys of the jobs
  ARGV    1... id  1,000 at most
  RETURNS int     how many were removed
  EVENTS  none
]]
-- include: lib/key_types.lua
-- include: lib/place.lua
-- include: lib/remove.lua
local base, removed = KEYS[1], 0
refuse_wrong_types(base)
for _, id in ipairs(ARGV) do
  local kind = redis.call('TYPE', base .. id).ok
  if (kind == 'hash' or kind == 'none') and not place_of(base, id) then
    if delete_job(base, id) > 0 then removed = removed + 1 end
  end
end
return removed
