local funcs = require("funcs")
local store = require("store")
local time = require("time")

-- The whole way: priced over HTTP, published, handled by the consumer. A test asks again instead of waiting a fixed time.
local function is_fulfilled()
  local order, err = funcs.call("orders:place", { sku = "desk", quantity = 1 })
  if err then
    return nil, err
  end
  assert(order.total == 18900, "the price comes from the other service")
  local book = store.get("orders:book")
  for _ = 1, 200 do
    local current = book:get(order.id)
    if current.status == "fulfilled" then
      return true
    end
    time.sleep("10ms")
  end
  return nil, "order " .. order.id .. " was not fulfilled"
end

local function unknown_article()
  local order, err = funcs.call("orders:place", { sku = "unicorn", quantity = 1 })
  assert(order == nil and err:kind() == "NotFound", "expected NotFound, got " .. tostring(err))
end

return { is_fulfilled = is_fulfilled, unknown_article = unknown_article }
