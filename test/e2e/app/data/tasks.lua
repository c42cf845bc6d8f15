local http = require("http")
local http_client = require("http_client")
local queue = require("queue")

-- `what` says how the message ends; `twice` and `invalid` are about its publish.
local function send()
  local request = http.request()
  local driver, what = request:param("driver"), request:param("what")
  local id = "e2e:" .. (what == "backlog" and "backlog." or "jobs.") .. driver
  local response = http.response()
  local body = { what = what }
  if what == "invalid" then
    body.self = body
    local sent, err = queue.publish(id, body)
    assert(sent == nil and err)
    response:set_status(http.STATUS.BAD_REQUEST)
    return
  end
  local options = what == "twice" and { idempotency_key = request:header("x-once") } or nil
  for _ = 1, what == "twice" and 2 or 1 do
    assert(queue.publish(id, body, { secret = "s3cret-header" }, options))
  end
  response:set_status(http.STATUS.ACCEPTED)
end

local function task(job)
  local message = queue.message()
  if job.what == "again" and message:attempt() == 1 then
    assert(message:nack({ delay = "10ms" }))
  elseif job.what == "dead" then
    error("refused on purpose")
  elseif job.what == "hold" then
    assert(http_client.get(job.gate))
  end
end

local function bury()
  assert(queue.message():header("x_dead_letter_reason"):find("on purpose"))
end

return { send = send, task = task, bury = bury }
