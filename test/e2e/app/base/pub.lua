local http = require("http")
local queue = require("queue")

-- The consumer needs an address to call: this service's own.
local function main()
  local host = http.request():host()
  local _, err = queue.publish("e2e:jobs", { host = host, numbers = { 1, 2, 3 } }, { source = "e2e" })
  if err then
    return nil, err
  end
  http.response():set_status(http.STATUS.ACCEPTED)
end

return { main = main }
