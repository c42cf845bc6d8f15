local store = require("store")
local queue = require("queue")
local metrics = require("metrics")
local logger = require("logger")

-- One call per message. Returning acknowledges it; an error puts it back into the queue.
local function main(placed)
  local message = queue.message()
  local book, err = store.get("orders:book")
  if err then
    return nil, err
  end
  local order, missing = book:get(placed.id)
  if missing then
    return nil, missing
  end

  order.status = "fulfilled"
  order.message = message:id()
  local _, unsaved = book:set(placed.id, order)
  if unsaved then
    return nil, unsaved
  end

  -- A metric of this app: on /metrics beside the runtime's own. Labels come from few values, never from ids.
  metrics.counter_inc("orders_fulfilled_total", { sku = order.sku })
  logger:info("order fulfilled", { id = placed.id, total = order.total })
end

return { main = main }
