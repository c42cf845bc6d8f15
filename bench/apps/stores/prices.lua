local store = require("store")

local KEYS = 500
local keys = {}
for i = 1, KEYS do
  keys[i] = "price:" .. i
end

local function fill()
  local prices = assert(store.get("bench:prices"))
  for i = 1, KEYS do
    assert(prices:set(keys[i], i))
  end
end

-- One read of each key.
local function read()
  local prices = assert(store.get("bench:prices"))
  local sum = 0
  for i = 1, KEYS do
    sum = sum + assert(prices:get(keys[i]))
  end
  return sum
end

return { fill = fill, read = read }
