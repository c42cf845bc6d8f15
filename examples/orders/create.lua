local http = require("http")
local funcs = require("funcs")
local logger = require("logger")

local function answer(status, body)
  local response = http.response()
  response:set_content_type(http.CONTENT.JSON)
  response:set_status(status)
  response:write_json(body)
end

-- POST /orders {"sku": "lamp", "quantity": 2}
local function main()
  local order, malformed = http.request():body_json()
  if malformed or type(order) ~= "table" then
    return answer(http.STATUS.BAD_REQUEST, { error = 'send JSON such as {"sku": "lamp", "quantity": 2}' })
  end

  -- A call has a span and metrics of its own, and its failure arrives as a value.
  local placed, err = funcs.call("orders:place", order)
  if err then
    if err:kind() == "Invalid" then
      return answer(http.STATUS.BAD_REQUEST, { error = err:message() })
    end
    if err:kind() == "NotFound" then
      return answer(http.STATUS.UNPROCESSABLE, { error = err:message() })
    end
    return nil, err -- 500, an error line with the trace id, and the span says why
  end

  logger:debug("order placed", { id = placed.id })
  answer(http.STATUS.ACCEPTED, placed)
end

return { main = main }
