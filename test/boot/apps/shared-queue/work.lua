-- A job that holds waits until `go` is in the store; one that fails does so on every attempt.
local function main(job)
  local notes = assert(require("store").get("shared:notes"))
  local message = require("queue").message()
  notes:set("begun:" .. job.name, message:attempt())
  while job.hold and not notes:has("go") do
    require("time").sleep("20ms")
  end
  if job.fail then error("as asked") end
  notes:set("done:" .. job.name, message:attempt())
end

return { main = main }
