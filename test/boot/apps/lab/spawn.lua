local http = require("http")

-- Three processes: one that fails, one that is cancelled before it runs, and one whose mailbox overflows before it reads.
local function main()
  local body = http.request():body_json()
  assert(process.spawn_monitored("lab:broken", "lab:host"))
  local cancelled = assert(process.spawn_monitored("lab:reader", "lab:host", "cancelled"))
  local reader = assert(process.spawn_monitored("lab:reader", "lab:host", body))
  local refused
  for _ = 1, 3 do
    local _, err = process.send(reader, "order", body)
    refused = err and err:kind()
  end
  assert(process.cancel(cancelled, "not wanted"))
  local events = process.events()
  local ends = { completed = 0, failed = 0 }
  for _ = 1, 3 do
    local what = events:receive().result.error and "failed" or "completed"
    ends[what] = ends[what] + 1
  end
  http.response():write_json({ refused = refused, ends = ends })
end

return { main = main }
