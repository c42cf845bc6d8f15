-- lua/sql.md, section 7: executors.
local check = require("check")
local sql = require("sql")
local b = sql.builder

local function main()
  local db, _, kind = check.open()
  check.table(db, "built", "id integer PRIMARY KEY, body text, n integer")
  local insert = b.insert("built"):columns("id", "body", "n")
  local executor, err = insert:values(1, "a", 10):values(2, sql.NULL, 20):run_with(db)
  check.equal(err, nil, "run_with")
  check.equal(executor:exec().rows_affected, 2, "exec")
  local text, args = executor:to_sql()
  check.equal(text, kind == "postgres" and "INSERT INTO built (id,body,n) VALUES ($1,$2,$3),($4,$5,$6)"
    or "INSERT INTO built (id,body,n) VALUES (?,?,?),(?,?,?)", "to_sql")
  check.equal(#args, 6, "args")
  check.equal(tostring(executor), "QueryExecutor: " .. text .. " [Args: 6]", "tostring")

  local rows = b.select("id", "body"):from("built"):where({ n = 20 }):run_with(db):query()
  check.equal(#rows, 1, "query")
  check.equal(rows[1].id, 2, "id")
  check.equal(rows[1].body, nil, "NULL")
  check.equal(#b.select("id"):from("built"):where(b.eq({ body = sql.NULL })):order_by("id"):limit(1):offset(0):run_with(db):query(), 1, "IS NULL")

  local tx = assert(db:begin())
  check.equal(b.update("built"):set("n", b.expr("n + ?", 1)):where("id = ?", 1):run_with(tx):exec().rows_affected, 1, "in a transaction")
  check.equal(b.delete("built"):where(b.gt({ n = 15 })):run_with(tx):exec().rows_affected, 1, "delete")
  check.equal(b.select("n"):from("built"):run_with(tx):query()[1].n, 11, "seen inside")
  local late = b.select("n"):from("built"):run_with(tx)
  assert(tx:rollback())
  check.fails("after it", "Invalid", "transaction is not active", late:query())
  check.equal(b.select("n"):from("built"):where("id = ?", 1):run_with(db):query()[1].n, 10, "rolled back")

  check.fails("incomplete", "Invalid", nil, b.update("built"):run_with(db))
  check.fails("a driver's error", nil, "nowhere", b.select("x"):from("nowhere"):run_with(db):query())
  local done = channel.new(1)
  coroutine.spawn(function() done:send(#b.select("id"):from("built"):run_with(db):query()) end)
  check.equal(done:receive(), 2, "in a coroutine")
end

return { main = main }
