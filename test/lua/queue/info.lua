local check = require("check")

local function counts_what_waits()
  local before = assert(queue.info("queue.tests:counted"))
  check.equal(before.message_count, 0)
  check.equal(before.ready, 0)
  for i = 1, 3 do queue.publish("queue.tests:counted", i) end
  queue.publish("queue.tests:counted", 4, nil, { delay = "1h" })
  local after, err = queue.info("queue.tests:counted")
  check.equal(err, nil)
  check.equal(after.message_count, 4)
  check.equal(after.ready, 3)
end

local function faults()
  check.fault("Invalid", "queue ID required", queue.info())
  check.fault("Invalid", "queue ID required", queue.info(""))
  check.raises(queue.info, {})
  local info, err = queue.info("unknown:queue")
  check.equal(info, nil)
  check.equal(err:kind(), "Internal")
end

return { counts_what_waits = counts_what_waits, faults = faults }
