local funcs = require("funcs")

-- Waits for its cancel, then reads two messages and calls a function for each.
local function reader(_order)
  process.events():receive()
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
