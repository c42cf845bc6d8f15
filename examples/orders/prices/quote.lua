local http = require("http")

-- Cents, so that sums are exact.
local prices = { lamp = 2450, desk = 18900, chair = 7990 }

local function main()
  local sku = http.request():param("sku")
  local response = http.response()
  local cents = prices[sku]
  if cents == nil then
    response:set_content_type(http.CONTENT.JSON)
    response:set_status(http.STATUS.NOT_FOUND)
    response:write_json({ error = "no article " .. sku })
    return
  end
  response:write_json({ sku = sku, cents = cents })
end

return { main = main }
