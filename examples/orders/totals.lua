-- A library: pure Lua that functions import, and that tests can call without HTTP.
local totals = {}

function totals.check(order): (boolean, string?)
  if type(order.sku) ~= "string" or not order.sku:match("^[%w_-]+$") then
    return false, "sku must be a word, e.g. lamp"
  end
  local quantity = order.quantity
  if type(quantity) ~= "number" or quantity < 1 or quantity % 1 ~= 0 then
    return false, "quantity must be a whole number above 0"
  end
  return true
end

-- Cents; ten and more are 5 % cheaper.
function totals.of(cents: number, quantity: number): number
  local sum = cents * quantity
  if quantity >= 10 then
    sum = math.floor(sum * 95 / 100)
  end
  return sum
end

return totals
