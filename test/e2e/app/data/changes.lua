local http = require("http")
local http_client = require("http_client")
local sql = require("sql")

-- One transaction, which is marked with its trace, and one statement that is not.
local function changes()
  local db = assert(sql.get("e2e:db.postgres"))
  local tx = assert(db:begin())
  for id, name in ipairs({ "one", "flaky", "bad" }) do
    assert(tx:execute("INSERT INTO items (id, name, note) VALUES ($1, $2, 's3cret-row')", { id, name }))
  end
  assert(tx:execute("UPDATE items SET note = 's3cret-row' WHERE id = 1"))
  assert(tx:execute("DELETE FROM items WHERE id = 1"))
  assert(tx:execute("INSERT INTO fragile (note) VALUES ('s3cret-row')"))
  assert(tx:execute("INSERT INTO outbox (note) VALUES ('s3cret-row')"))
  assert(tx:commit())
  assert(db:execute("TRUNCATE TABLE items"))
  http.response():set_status(http.STATUS.ACCEPTED)
end

local refused = {}

local function on_item(change)
  local name = change.op == "insert" and change.after.name
  if name == "bad" or (name == "flaky" and not refused[change.lsn]) then
    refused[change.lsn] = true
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
