local events = require("events")
local sent = pcall(events.send, "top", "level", "/")
local subscribed = pcall(events.subscribe, "top")

return {
  main = function()
    return { sent = sent, subscribed = subscribed }
  end,
}
