local http = require("http")

local HOST = "e2e:workers"

-- Four processes that end in three ways: two complete, one fails, one is cancelled (and completes).
local function main()
  local events = process.events()
  local function start(part)
    return assert(process.spawn_monitored("e2e:child", HOST, part))
  end
  start("complete")
  start("fail")
  process.send(start("sum"), "numbers", { 1, 2, 3 })
  process.cancel(start("wait"), "no longer needed")

  local values, errors_seen = {}, 0
  for _ = 1, 4 do
    local exit = events:receive()
    if exit.result.error then
      errors_seen = errors_seen + 1
    else
      table.insert(values, tostring(exit.result.value))
    end
  end
  table.sort(values)
  http.response():write_json({ values = table.concat(values, " "), errors = errors_seen })
end

return { main = main }
