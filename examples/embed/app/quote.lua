local funcs = require("funcs")
local logger = require("logger")
local rates = require("rates")

-- What an order costs in a currency: rules in Lua, facts from the host program.
local function main(order)
  local basket = rates.basket()
  for _, line in ipairs(order.lines) do
    basket:add(line.sku, line.quantity)
  end
  local rate, err = rates.of(order.currency) -- waits for the host; other calls go on meanwhile
  if err then
    return nil, err
  end
  local percent = assert(funcs.call("pricing:discount", basket:count()))
  local cents = math.floor(basket:cents() * rate * (100 - percent) / 100 + 0.5)
  logger:info("quoted", { items = basket:count(), percent = percent })
  return { cents = cents, currency = order.currency, text = tostring(basket) }
end

return { main = main }
