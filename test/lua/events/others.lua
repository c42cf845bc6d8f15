-- Calls that the tests make: they run on their own, with a bus in common.
local events = require("events")

local function sends(system, kind, path, data)
  return events.send(system, kind, path, data)
end

-- Ends without closing what it has.
local function leaves(system)
  local sub, err = events.subscribe(system)
  return sub ~= nil, err
end

local function fails(system)
  assert(events.subscribe(system))
  error("with a subscription")
end

-- Says when it listens, and sends back what it hears.
local function echoes()
  local sub = assert(events.subscribe("question"))
  events.send("answer", "ready", "/")
  local event = sub:channel():receive()
  events.send("answer", event.kind, event.path, event.data)
end

return { sends = sends, leaves = leaves, fails = fails, echoes = echoes }
