-- Lives until it gets a message.
local function idle()
  process.inbox():receive()
end

local function parent(count)
  for _ = 1, count do
    assert(process.spawn("crowd:idle", "crowd:host"))
  end
end

local function sender(to, count)
  for i = 1, count do
    assert(process.send(to, "number", i))
  end
end

-- Ends with the count when every number has come in its place.
local function receiver(count)
  local inbox = process.inbox()
  for i = 1, count do
    local got = inbox:receive():payload():data()
    if got ~= i then
      error("got " .. tostring(got) .. " instead of " .. i)
    end
  end
  return count
end

return { idle = idle, parent = parent, sender = sender, receiver = receiver }
