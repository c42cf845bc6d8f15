local http = require("http")

local function main()
  http.response():write_json({ message = "hello" })
end

return { main = main }
