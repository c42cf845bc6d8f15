-- The processes that the tests talk to.
local M = {}

--- Answers every message on the inbox; ends on `stop`, fails on `fail`.
function M.echo(name)
  local inbox = process.inbox()
  while true do
    local msg = inbox:receive()
    local topic = msg:topic()
    if topic == "stop" then return name end
    if topic == "fail" then error("echo failed") end
    local payload = msg:payload()
    process.send(msg:from(), "reply", topic, payload and payload:data())
  end
end

--- Writes to whom it is told to, and reports what came of it.
function M.writes_on(to)
  process.send(to, "ready")
  local peer = process.inbox():receive():payload():data()
  local ok, err = process.send(peer, "late")
  process.send(to, "written", { ok = ok == true, why = err and tostring(err) })
end

--- Ends at once with what it was given.
function M.give(...) return ... end

function M.give_error_text() return "ignored", "a text" end
function M.give_error_object()
  return "ignored", errors.new({ message = "an object", kind = errors.CONFLICT, retryable = true, details = { a = 1 } })
end
function M.give_other_second() return "kept", 42 end
function M.raise_text() error("raised") end
function M.raise_object() error(errors.new({ message = "thrown", kind = errors.TIMEOUT, retryable = false })) end
function M.raise_in_coroutine()
  coroutine.spawn(function() error("in a coroutine") end)
  process.inbox():receive()
end
function M.self_terminate() process.terminate(process.pid()); return "not reached" end
function M.wait_for_ever() process.inbox():receive() end

--- Sends what it finds of itself to whoever started it.
function M.report(to)
  local ctx = require("ctx")
  process.send(to, "report", { pid = process.pid(), id = process.id(), values = ctx.all(), options = process.get_options() })
end

--- Links to its starter's peer and waits.
function M.link_and_wait(peer, to)
  local ok, err = process.link(peer)
  process.send(to, "linked", ok, err and tostring(err))
  process.inbox():receive()
end

--- Traps links and tells of the first LINK_DOWN.
function M.trap(peer, to)
  process.set_options({ trap_links = true })
  process.link(peer)
  process.send(to, "ready")
  local event = process.events():receive()
  process.send(to, "event", event.kind, event.from, tostring(event.result.error))
end

--- Tells of every event it gets, for ever.
function M.tell_events(to)
  local events = process.events()
  process.send(to, "ready")
  while true do
    local e = events:receive()
    process.send(to, "event", { kind = e.kind, from = e.from, at = e.at, reason = e.reason, result = e.result })
  end
end

--- Never looks at its events.
function M.stubborn(to)
  local topic = process.listen("end")
  process.send(to, "ready")
  topic:receive()
  return "in its own time"
end

function M.registers(name, to)
  process.registry.register(name)
  process.send(to, "ready")
  process.inbox():receive()
end

function M.monitors(target, to)
  local events = process.events()
  process.send(to, "ready", process.monitor(target))
  local e = events:receive()
  process.send(to, "event", e.kind, e.from)
end

--- The topics of its first messages, in order.
function M.first_messages(to, count)
  local inbox, topics = process.inbox(), {}
  for i = 1, count do
    local msg = inbox:receive()
    topics[i] = msg:topic() .. "/" .. msg:from()
  end
  process.send(to, "topics", topics)
end

function M.busy(to)
  process.send(to, "busy")
  while true do end
end

function M.spawner(host, to)
  local child = process.spawn("test.process:wait_for_ever", host)
  process.send(to, "child", child)
end

return M
