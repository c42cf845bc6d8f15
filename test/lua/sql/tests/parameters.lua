-- lua/sql.md, section 3.
local check = require("check")
local sql = require("sql")

local function main()
  local db, q, kind = check.open()
  local pg = kind == "postgres"
  check.table(db, "params", "id integer PRIMARY KEY, t text, n " .. (pg and "numeric" or "numeric") .. ", b " .. (pg and "bytea" or "blob")
    .. ", o boolean, i bigint, f " .. (pg and "double precision" or "real"))
  check.fails("text", "Invalid", "parameters must be a table, got string", db:query("SELECT 1", "x"))
  check.fails("number", "Invalid", "parameters must be a table, got number", db:execute("SELECT 1", 1))
  check.fails("boolean", "Invalid", "parameters must be a table, got boolean", db:query("SELECT 1", true))
  check.equal(assert(db:query("SELECT 1 AS v", nil))[1].v, 1, "nil")
  check.equal(assert(db:query("SELECT 1 AS v", {}))[1].v, 1, "empty")

  local insert = q("INSERT INTO params (id, t, o, i, f) VALUES (?, ?, ?, ?, ?)")
  assert(db:execute(insert, { 1, 5, true, 9, 1.5 }))
  local row = assert(db:query("SELECT * FROM params WHERE id = 1"))[1]
  check.equal(row.t, "5", "an integral number in a text column")
  check.equal(row.o, true, "boolean")
  check.equal(row.i, 9, "integer")
  check.equal(row.f, 1.5, "double")
  assert(db:execute(insert, { 2, "false", false, 5.0, 2 }))
  row = assert(db:query("SELECT * FROM params WHERE id = 2"))[1]
  check.equal(row.o, false, "false is not NULL")
  check.equal(row.i, 5, "an integral float is an integer")

  -- Holes, other types and the NULLs.
  assert(db:execute(insert, { [1] = 3, [5] = sql.as.float(7) }))
  assert(db:execute(insert, { 4, sql.NULL, sql.as.null(), {}, print }))
  for id = 3, 4 do
    row = assert(db:query(q("SELECT t, o, i FROM params WHERE id = ?"), { id }))[1]
    check.equal(next(row), nil, "NULLs of " .. id)
  end
  check.equal(assert(db:query("SELECT f FROM params WHERE id = 3"))[1].f, 7, "the highest key counts")

  assert(db:execute(insert, { sql.as.int(5.9), sql.as.text(12), true, sql.as.int("x"), sql.as.float("x") }))
  row = assert(db:query("SELECT * FROM params WHERE id = 5"))[1]
  check.equal(row.t, "12", "as.text")
  check.equal(row.i, 0, "as.int of no number")
  check.equal(row.f, 0, "as.float of no number")
  assert(db:execute(q("UPDATE params SET t = ?, i = ? WHERE id = 5"), { sql.as.text({}), sql.as.int(-3.9) }))
  row = assert(db:query("SELECT * FROM params WHERE id = 5"))[1]
  check.equal(row.t, "", "as.text of another type")
  check.equal(row.i, -3, "as.int truncates")

  -- A driver's error, and not worth a retry.
  local value, failure = db:query(q("SELECT 1 AS v WHERE 1 = ?"), { 1, 2 })
  check.fails("more than the statement has", "Internal", nil, value, failure)
  check.equal(failure:retryable(), false, "more than the statement has, retryable")
  if pg then
    value, failure = db:query("SELECT 1 AS v WHERE $1 = $2::int", { 1 })
    check.fails("fewer than the statement has", "Internal", "bind message supplies 1 parameters", value, failure)
    check.equal(failure:retryable(), false, "fewer than the statement has, retryable")
  end

  local bytes = "\0\1\255text"
  assert(db:execute(q("UPDATE params SET b = ? WHERE id = 1"), { sql.as.binary(bytes) }))
  assert(db:execute(q("UPDATE params SET b = ? WHERE id = 2"), { sql.as.binary("plain \\x41") }))
  check.equal(assert(db:query("SELECT b FROM params WHERE id = 1"))[1].b, bytes, "bytes")
  check.equal(assert(db:query("SELECT b FROM params WHERE id = 2"))[1].b, "plain \\x41", "bytes that are text")
  check.equal(assert(db:query(q("SELECT count(*) AS n FROM params WHERE t = ?"), { "' OR '1'='1" }))[1].n, 0, "values are never text of the statement")
end

return { main = main }
