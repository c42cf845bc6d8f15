local http = require("http")
local http_client = require("http_client")
local sql = require("sql")

-- One transaction, and one statement outside of it: in PostgreSQL only the first is marked with its trace.
local function changes()
  local name = http.request():param("db")
  local db = assert(sql.get("e2e:db." .. name))
  local isPostgres = db:type() == sql.type.POSTGRES
  local insert = "INSERT INTO items (id, name, note) VALUES (?, ?, 's3cret-row')"
  local tx = assert(db:begin())
  for id, item in ipairs({ "one", "flaky", "bad" }) do
    assert(tx:execute(isPostgres and insert:gsub("%?, %?", "$1, $2") or insert, { id, item }))
  end
  assert(tx:execute("UPDATE items SET note = 's3cret-row' WHERE id = 1"))
  assert(tx:execute("DELETE FROM items WHERE id = 1"))
  assert(tx:execute("INSERT INTO fragile (note) VALUES ('s3cret-row')"))
  assert(tx:execute("INSERT INTO outbox (note) VALUES ('s3cret-row')"))
  assert(tx:commit())
  assert(db:execute(isPostgres and "TRUNCATE TABLE items" or "DELETE FROM items WHERE id < 100"))
  http.response():set_status(http.STATUS.ACCEPTED)
end

local refused = {}

local function on_item(change)
  local name = change.op == "insert" and change.after.name
  local place = change.lsn ~= "" and change.lsn or change.cursor or "snapshot"
  if name == "bad" or (name == "flaky" and not refused[place]) then
    refused[place] = true
    return nil, errors.new({ message = "refused on purpose", kind = errors.UNAVAILABLE })
  elseif name == "hold" then
    assert(http_client.get(change.after.note))
  end
end

local function on_fragile()
  error("refused on purpose")
end

local function on_outbox(change)
  assert(change.after.note == "s3cret-row", "the change is the message's body")
end

return { changes = changes, on_item = on_item, on_fragile = on_fragile, on_outbox = on_outbox }
