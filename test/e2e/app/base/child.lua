local funcs = require("funcs")

local parts = {}

function parts.complete()
  return "complete"
end

function parts.fail()
  error("failed on purpose")
end

-- What it does for a message carries a link to whoever sent it.
function parts.sum()
  local message = process.inbox():receive()
  local sum, err = funcs.call("e2e:compute", message:payload():data())
  return sum, err
end

function parts.wait()
  return process.events():receive().reason
end

local function main(part)
  return parts[part]()
end

return { main = main }
