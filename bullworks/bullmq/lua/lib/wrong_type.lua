-- An error in the middle of a step would leave half of it behind, so types are looked at before the first write;
-- once a script call and key. Returns the text of the error, or false.
local checked = {}
local function wrong_type(key, expected)
  if checked[key] == nil then
    local kind = redis.call('TYPE', key).ok
    checked[key] = kind ~= expected and kind ~= 'none'
      and ('WRONGTYPE ' .. key .. ' is a ' .. kind .. ', not a ' .. expected)
  end
  return checked[key]
end
