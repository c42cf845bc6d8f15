--- Numbers, in order, as fast as they can be sent.
local function main(to, count)
  for i = 1, count do
    assert(process.send(to, "number", i))
  end
end

return { main = main }
