local http = require("http")
local queue = require("queue")

-- Answers 202 when the message is in the queue. `once`: tried again with the same key until it is.
local function main()
  local wanted = http.request():body_json()
  local options = nil
  if wanted.once then
    options = { idempotency_key = tostring(wanted.n) }
  end
  local _, err = queue.publish("chaos:jobs", { n = wanted.n, key = wanted.key }, {}, options)
  if err then
    return nil, err
  end
  http.response():set_status(http.STATUS.ACCEPTED)
end

return { main = main }
