local totals = require("totals")

local function add_up()
  assert(totals.of(2450, 2) == 4900)
  assert(totals.of(100, 10) == 950, "ten are 5 % cheaper")
end

local function refuse_nonsense()
  for _, order in ipairs({ {}, { sku = "../x", quantity = 1 }, { sku = "lamp", quantity = 1.5 } }) do
    local valid, why = totals.check(order)
    assert(valid == false and type(why) == "string")
  end
  assert(totals.check({ sku = "lamp", quantity = 1 }) == true)
end

return { add_up = add_up, refuse_nonsense = refuse_nonsense }
