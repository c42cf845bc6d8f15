local http = require("http")
local http_client = require("http_client")

-- HTTP, function, store, database, HTTP out, publish; the consumer goes on from there.
local function main()
  local queue = require("queue")
  local store = require("store")
  local logger = require("logger")
  local request = http.request()
  local order = assert(request:body_json())
  local kv = assert(store.get("lab:kv"))
  assert(kv:set(order.key, { value = order.value }))
  assert(kv:get(order.key))
  local db = assert(require("sql").get("lab:db"))
  assert(db:query("SELECT ? AS value", { order.value }))
  logger:info("order taken", { id = request:param("id") })
  local headers = { Authorization = order.token }
  local response = assert(http_client.get("http://" .. request:host() .. "/hello", {
    headers = headers,
    query = { token = order.token },
  }))
  assert(response.status_code == 200)
  order.host = request:host()
  assert(queue.publish("lab:jobs", order, { secret = order.token }))
  http.response():set_status(http.STATUS.ACCEPTED)
end

-- The path `path` of `?host=`, or of this service itself; answers with the status, 599 for none.
local function out()
  local request = http.request()
  local host = request:query("host") or request:host()
  local response = http_client.get("http://" .. host .. "/" .. request:param("path"), { timeout = "5s" })
  http.response():write_json({ status = response and response.status_code or 599 })
end

return { main = main, out = out }
