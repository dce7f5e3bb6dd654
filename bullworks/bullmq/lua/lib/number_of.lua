-- The number that a text says; nil where it says none that one can count with. Anybody may have written it.
local function number_of(text)
  local number = text and tonumber(text)
  return number and number > -9007199254740992 and number < 9007199254740992 and number or nil
end
