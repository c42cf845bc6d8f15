local http = require("http")
local time = require("time")

-- Server-sent events until the client leaves or the server stops.
local function main()
  local response = http.response()
  local count = 0
  while true do
    count = count + 1
    local err = response:write_event({ name = "tick", data = { count = count } })
    if err then
      return nil, err
    end
    time.sleep("20ms")
  end
end

return { main = main }
