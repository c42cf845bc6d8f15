local funcs = require("funcs")

-- Reads two messages and calls a function for each; or waits for its cancel.
local function reader(argument)
  if argument == "cancelled" then
    return process.events():receive().reason
  end
  local inbox = process.inbox()
  for _ = 1, 2 do
    inbox:receive()
    local _, err = funcs.new():call("lab:nothing")
    if err then return nil, err end
  end
end

local function broken()
  error("broken on purpose")
end

return { reader = reader, broken = broken }
