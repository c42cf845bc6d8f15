local http = require("http")
local http_client = require("http_client")
local queue = require("queue")
local sql = require("sql")

-- Everything that can wait does, until the address `gate` answers.
local function main()
  local gate = http.request():query("gate")
  local sqlite = assert(sql.get("e2e:db.sqlite"))
  local postgres = assert(sql.get("e2e:db.postgres"))
  for _, driver in ipairs({ "memory", "redis" }) do
    assert(queue.publish("e2e:jobs." .. driver, { what = "hold", gate = gate }))
  end
  assert(postgres:execute("INSERT INTO items (id, name, note) VALUES (9, 'hold', $1)", { gate }))
  local one, two = assert(sqlite:begin()), assert(postgres:begin())
  assert(http_client.get(gate))
  assert(one:commit())
  assert(two:commit())
  http.response():write_json({ ok = true })
end

return { main = main }
