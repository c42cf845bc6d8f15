local http = require("http")
local store = require("store")

-- GET /orders/{id}
local function main()
  local id = http.request():param("id")
  local response = http.response()
  local book, err = store.get("orders:book")
  if err then
    return nil, err
  end
  local order, missing = book:get(id)
  if missing then
    if missing:kind() ~= "NotFound" then
      return nil, missing
    end
    response:set_content_type(http.CONTENT.JSON)
    response:set_status(http.STATUS.NOT_FOUND)
    response:write_json({ error = "no order " .. id })
    return
  end
  response:write_json(order)
end

return { main = main }
