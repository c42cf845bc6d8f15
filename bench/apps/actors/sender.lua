local send = process.send

--- Numbers, in order, as fast as they can be sent.
local function main(to, count)
  for i = 1, count do
    if not send(to, "number", i) then error("not sent") end
  end
end

return { main = main }
