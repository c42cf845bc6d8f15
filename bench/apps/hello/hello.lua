local http = require("http")

-- GET /hello?name=you
local function main()
  local name = http.request():query("name") or "world"
  http.response():write_json({ message = "hello, " .. name })
end

return { main = main }
