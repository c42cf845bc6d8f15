local http = require("http")
local events = require("events")

-- Three events reach a subscription, two are received: the third still waits when it is closed.
local function main()
  local sub = assert(events.subscribe("e2e", "step.*"))
  for i = 1, 3 do
    events.send("e2e", "step.done", "/step/" .. i, { number = i })
  end
  events.send("e2e", "other", "/nobody")
  local sum = 0
  for _ = 1, 2 do
    sum = sum + sub:channel():receive().data.number
  end
  sub:close()
  http.response():write_json({ sum = sum })
end

return { main = main }
