local funcs = require("funcs")
local check = require("check")

local function is_read_only()
  assert(require("events") == events)
  check.raises("", function()
    events.send = nil
  end)
  check.equal(type(events.send), "function")
end

local function works_in_coroutines()
  local sub = assert(events.subscribe("s"))
  local results = channel.new(2)
  coroutine.spawn(function()
    local inner = assert(events.subscribe("t"))
    events.send("s", "k", "from a coroutine")
    results:send(inner:channel():receive().path)
  end)
  check.equal(sub:channel():receive().path, "from a coroutine")
  local ok, sent = pcall(events.send, "t", "k", "in pcall")
  check.equal(ok, true)
  check.equal(sent, true)
  check.equal(results:receive(), "in pcall")
  local wrapped = coroutine.wrap(function()
    local _, err = events.send("s", "k", "wrapped")
    coroutine.yield(err)
    return sub:channel():receive().path
  end)
  check.equal(wrapped(), nil)
  check.equal(wrapped(), "wrapped")
end

-- Top-level code runs synchronously: what the specification marks so raises there.
local function yields()
  local result = assert(funcs.call("events.tests:top_level"))
  check.equal(result.sent, false)
  check.equal(result.subscribed, false)
end

return { is_read_only = is_read_only, works_in_coroutines = works_in_coroutines, yields = yields }
