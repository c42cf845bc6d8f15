local M = {}
local logger = require("logger")

function M.answer()
  local http = require("http")
  http.response():write_json({ name = http.request():query("name"), pid = process.pid() })
end

function M.broken()
  return nil, "out of order"
end

--- Ends when its caller has gone.
function M.patient()
  logger:info("waiting")
  local event = process.events():receive()
  logger:info("asked to end", { kind = event.kind, reason = event.result and "result" or event.reason })
end

function M.publish()
  local _, err = require("queue").publish("call:jobs", { n = 7 })
  if err then return nil, err end
  return true
end

function M.work(body)
  local message = require("queue").message()
  logger:info("worked", { n = body.n, pid = process.pid(), message = message and message:id() or "none" })
end

return M
