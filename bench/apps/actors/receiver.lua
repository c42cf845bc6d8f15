--- Ends when all numbers have come, each in its place.
local function main(count)
  local numbers = process.listen("number")
  for i = 1, count do
    local got = numbers:receive()
    if got ~= i then error("got " .. tostring(got) .. " instead of " .. i) end
  end
  return count
end

return { main = main }
