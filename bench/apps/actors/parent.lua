--- Spawns processes that end at once.
local function main(count)
  for _ = 1, count do
    assert(process.spawn("bench:quick", "bench:host"))
  end
end

return { main = main }
