local logger = require("logger")
local metrics = require("metrics")

local function main(numbers: {number}): number
  local sum = 0
  for _, number in ipairs(numbers) do
    sum = sum + number
  end
  metrics.counter_inc("e2e_computed_total", { kind = "sum" })
  logger:debug("computed", { count = #numbers })
  return sum
end

return { main = main }
