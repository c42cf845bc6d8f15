local store = require("store")
local http_client = require("http_client")
local queue = require("queue")
local env = require("env")
local json = require("json")
local time = require("time")
local totals = require("totals")

local function new_id(): string
  return string.format("%x-%06x", time.now():unix(), math.random(0, 16 ^ 6 - 1))
end

-- Asks the other service. The trace goes along in the request's headers by itself.
local function price_of(sku: string)
  local port, unset = env.get("PRICES_PORT")
  if unset then
    return nil, unset
  end
  local response, err = http_client.get("http://127.0.0.1:" .. port .. "/prices/" .. sku, { timeout = "2s" })
  if err then
    return nil, err
  end
  if response.status_code == 404 then
    return nil, errors.new({ message = "no article " .. sku, kind = errors.NOT_FOUND, retryable = false })
  end
  if response.status_code ~= 200 then
    return nil, errors.new({ message = "prices answered " .. response.status_code, kind = errors.UNAVAILABLE })
  end
  local quote, malformed = json.decode(response.body)
  if malformed then
    return nil, malformed
  end
  return quote.cents
end

local function main(order)
  local valid, why = totals.check(order)
  if not valid then
    return nil, errors.new({ message = why, kind = errors.INVALID, retryable = false })
  end

  local book, err = store.get("orders:book")
  if err then
    return nil, err
  end
  local id = new_id()
  local record = { id = id, sku = order.sku, quantity = order.quantity, status = "received" }
  local _, unsaved = book:set(id, record)
  if unsaved then
    return nil, unsaved
  end

  local cents, unpriced = price_of(order.sku)
  if unpriced then
    book:delete(id)
    return nil, unpriced
  end
  record.total = totals.of(cents, order.quantity)
  record.status = "placed"
  book:set(id, record)

  local _, unpublished = queue.publish("orders:placed", { id = id })
  if unpublished then
    return nil, unpublished
  end
  return record
end

return { main = main }
