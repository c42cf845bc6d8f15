local queue = require("queue")
local funcs = require("funcs")
local http_client = require("http_client")

-- The far end of one trace: HTTP, function, publish, consume, and from here a function and HTTP again.
local function main(job)
  local message = queue.message()
  assert(message:header("source") == "e2e", "the publisher's header arrives")
  local sum, err = funcs.call("e2e:compute", job.numbers)
  if err then
    return nil, err
  end
  assert(sum == 6, "the body arrives")
  local response, failure = http_client.get("http://" .. job.host .. "/hello")
  if failure then
    return nil, failure
  end
  assert(response.status_code == 200, "the service answers")
end

return { main = main }
