local http = require("http")

-- Two processes: one whose mailbox is full before it is cancelled and reads, and one that fails.
local function main()
  local body = http.request():body_json()
  local reader = assert(process.spawn_monitored("lab:reader", "lab:host", body))
  local refused
  for _ = 1, 3 do
    local _, err = process.send(reader, "order", body)
    refused = err and err:kind()
  end
  assert(process.cancel(reader, "enough"))
  local events = process.events()
  local first = events:receive().result.error == nil
  assert(process.spawn_monitored("lab:broken", "lab:host"))
  local second = events:receive().result.error == nil
  http.response():write_json({ refused = refused, completed = { first, second } })
end

return { main = main }
