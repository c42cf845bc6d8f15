local http = require("http")
local time = require("time")

-- GET /slow: waits one second. Hundreds of these wait at once; none of them blocks another request.
local function main()
  time.sleep("1s")
  http.response():write_json({ waited = "1s" })
end

return { main = main }
