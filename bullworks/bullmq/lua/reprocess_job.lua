--[[ reprocess_job: a finished job waits again.
  KEYS    1 base             the common prefix of the queue's keys; touched: completed, failed, wait, prioritized, pc, bw:*, active,
                             marker, meta, events, the job's hash, and its parent's sets of children
  ARGV    1 id               string
          2 state            completed or failed, where it must be
          3 lifo             '1' to run before all that wait, else ''
          4 resets_made      '1' to forget the attempts made, else ''
          5 resets_started   '1' to forget the attempts started, else ''
          6...  field        of the job's hash, to be forgotten too
  RETURNS int                0 it waits; -1 there is no such job; -3 it is not in that state
  EVENTS  waiting (prev=completed, prev=failed)
]]
-- include: lib/key_types.lua
-- include: lib/reprocess.lua
local GONE, OTHER_STATE = -1, -3
local base, id, state = KEYS[1], ARGV[1], ARGV[2]
refuse_wrong_types(base)
refuse_wrong_type(base .. id, 'hash')
local queue = read_queue(base)
if redis.call('EXISTS', base .. id) == 0 then return GONE end
refuse_wrong_parent_types(queue, id)
if redis.call('ZREM', base .. state, id) == 0 then return OTHER_STATE end
if ARGV[4] == '1' then redis.call('HDEL', base .. id, 'atm') end
if ARGV[5] == '1' then redis.call('HDEL', base .. id, 'ats') end
for at = 6, #ARGV do redis.call('HDEL', base .. id, ARGV[at]) end
reprocess(queue, id, state, ARGV[3] == '1')
return 0
