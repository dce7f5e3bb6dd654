--[[ read_ending: whether a job has finished and with what, and how far the event stream was at that moment.
  KEYS    1 base  the common prefix of the queue's keys; read: completed, failed, events, the job's hash
  ARGV    1 id    string
  RETURNS list    'completed', 'failed', 'missing', or '' for a job still to finish; its return value as JSON, or the reason
                  of its failure, else ''; the id of the newest event, or ''
  EVENTS  none
]]
-- include: lib/key_types.lua
local base, id = KEYS[1], ARGV[1]
refuse_wrong_types_of(base, {'completed', 'failed', 'events'})
refuse_wrong_type(base .. id, 'hash')
local newest = redis.call('XREVRANGE', base .. 'events', '+', '-', 'COUNT', 1)[1]
local newest_id = newest and newest[1] or ''
if redis.call('EXISTS', base .. id) == 0 then return {'missing', '', newest_id} end
for state, field in pairs({completed = 'returnvalue', failed = 'failedReason'}) do
  if redis.call('ZSCORE', base .. state, id) then
    return {state, redis.call('HGET', base .. id, field) or '', newest_id}
  end
end
return {'', '', newest_id}
