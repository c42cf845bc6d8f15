local http = require("http")
local http_client = require("http_client")

-- Calls the path `to` of this same service: the trace goes through HTTP and comes back in.
local function main()
  local request = http.request()
  local path = request:query("to") or "/hello"
  local response, err = http_client.get("http://" .. request:host() .. path, { headers = { ["X-E2E"] = "yes" } })
  if err then
    return nil, err
  end
  http.response():write_json({ status = response.status_code })
end

return { main = main }
