-- A whole number as Redis takes it: handing it a number costs it a slow conversion, each time.
local function whole(number)
  return string.format('%.0f', number)
end
