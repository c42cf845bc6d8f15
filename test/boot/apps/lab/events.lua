local http = require("http")
local events = require("events")

-- What becomes of events, with the settings of the test: no backlog, and two subscriptions in all. One is received, five
-- come to a subscription that is slow, those that it has not received when it ends are dropped as well.
local function main()
  local body = http.request():body_json()
  local sub = assert(events.subscribe("lab.*"))
  assert(events.subscribe("other"))
  local third, err = events.subscribe("one too many")
  events.send("lab.bus", "first", body.token, body)
  local first = sub:channel():receive()
  for _ = 1, 64 + 5 do
    events.send("lab.bus", "more", body.token, body)
  end
  http.response():write_json({ refused = third == nil and err:kind(), received = first.kind })
end

return { main = main }
