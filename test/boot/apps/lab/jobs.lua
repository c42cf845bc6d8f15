local queue = require("queue")

-- Publishes the body of the request.
local function publish()
  local http = require("http")
  assert(queue.publish("lab:jobs", assert(http.request():body_json())))
  http.response():set_status(http.STATUS.ACCEPTED)
end

local function work(job)
  local store = require("store")
  local time = require("time")
  local message = queue.message()
  if job.outcome == "dead" then
    error("no use")
  end
  if job.outcome == "again" and message:attempt() == 1 then
    message:nack({ delay = "10ms" })
    return
  end
  if job.sleep then
    time.sleep(job.sleep)
  end
  if job.key then
    local kv = assert(store.get("lab:kv"))
    assert(kv:delete(job.key))
  end
  if job.host then
    local http_client = require("http_client")
    assert(http_client.get("http://" .. job.host .. "/hello"))
  end
end

local function bury()
end

return { publish = publish, work = work, bury = bury }
