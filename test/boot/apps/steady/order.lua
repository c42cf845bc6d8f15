local funcs = require("funcs")
local logger = require("logger")
local metrics = require("metrics")
local queue = require("queue")
local store = require("store")

-- A call of another function, a store, a queue, a line and a metric with labels.
local function order(number)
  local kv = assert(store.get("steady:kv"))
  local key = "order-" .. (number % 64)
  assert(kv:set(key, { number = number }))
  kv:get(key)
  local total = assert(funcs.new():call("steady:price", number))
  metrics.counter_add("orders", total, { city = "city-" .. (number % 8) })
  logger:info("order taken", { number = number, total = total })
  assert(queue.publish("steady:jobs", { key = key }))
  return total
end

local function price(number)
  return number % 7 + 1
end

local function ship(job)
  local kv = assert(store.get("steady:kv"))
  kv:delete(job.key)
end

return { order = order, price = price, ship = ship }
