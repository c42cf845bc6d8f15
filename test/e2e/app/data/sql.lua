local http = require("http")
local sql = require("sql")

local SECRET = "s3cret-parameter"

local function texts(db)
  if db:type() == sql.type.POSTGRES then
    return {
      insert = "INSERT INTO notes (id, body) VALUES ($1, $2)",
      find = "SELECT body FROM notes WHERE body = $1",
    }
  end
  return { insert = "INSERT INTO notes (id, body) VALUES (?, ?)", find = "SELECT body FROM notes WHERE body = ?" }
end

local variants = {}

function variants.direct(db, text)
  assert(db:execute(text.insert, { 1, SECRET }))
  assert(#db:query(text.find, { SECRET }) == 1)
  assert(#db:query("SELECT body FROM notes WHERE body = 's3cret-literal'") == 0)
  assert(#sql.builder.select("id"):from("notes"):where({ body = SECRET }):run_with(db):query() == 1)
  assert(db:execute("DELETE FROM notes"))
end

function variants.prepared(db, text)
  local insert = assert(db:prepare(text.insert))
  assert(insert:execute({ 1, SECRET }))
  assert(insert:execute({ 2, SECRET }))
  assert(insert:close())
  assert(#assert(db:prepare(text.find)):query({ SECRET }) == 2)
  assert(db:execute("DELETE FROM notes"))
end

function variants.transaction(db, text)
  local tx = assert(db:begin())
  assert(tx:execute(text.insert, { 1, SECRET }))
  assert(#tx:query(text.find, { SECRET }) == 1)
  assert(tx:commit())
  tx = assert(db:begin())
  assert(assert(tx:prepare("DELETE FROM notes")):execute())
  assert(tx:rollback())
  assert(db:execute("DELETE FROM notes").rows_affected == 1)
  assert(db:begin()) -- the end of the call rolls it back
end

-- Each operation fails once: what the two databases take offence at differs.
function variants.failures(db, text)
  local isPostgres = db:type() == sql.type.POSTGRES
  local function refused(value, err)
    assert(value == nil and err, "it fails")
  end
  refused(db:query("SELECT s3cret FROM notes WHERE 's3cret-literal' = body"))
  assert(db:execute(text.insert, { 1, SECRET }))
  refused(db:execute(text.insert, { 1, SECRET }))
  if isPostgres then
    refused(db:begin({ isolation = "write_committed" }))
  else
    assert(db:execute("BEGIN")) -- on the one connection
    refused(db:begin())
  end
  local duplicate = isPostgres and text.insert or text.insert:gsub("INSERT", "INSERT OR ROLLBACK")
  local tx = assert(db:begin())
  refused(tx:execute(duplicate, { 1, SECRET }))
  refused(tx:commit())
  tx = assert(db:begin())
  if isPostgres then
    refused(tx:query("SELECT pg_terminate_backend(pg_backend_pid())"))
  else
    refused(tx:execute(duplicate, { 1, SECRET }))
  end
  refused(tx:rollback())
  assert(db:execute("DELETE FROM notes").rows_affected == 1)
end

local function main()
  local request = http.request()
  local db = assert(sql.get("e2e:db." .. request:param("db")))
  variants[request:param("variant")](db, texts(db))
  http.response():write_json({ ok = true })
end

return { main = main }
