-- lua/sql.md, sections 2 and 6: transactions and savepoints.
local check = require("check")
local sql = require("sql")

local function inactive(tx)
  for _, method in ipairs({ "query", "execute", "prepare", "commit", "rollback", "savepoint", "rollback_to", "release" }) do
    check.fails(method, "Invalid", "transaction is not active", tx[method](tx, "a"))
  end
end

local function main()
  local db, q, kind = check.open()
  check.table(db, "tx")

  local tx, err = db:begin()
  check.equal(err, nil, "begin")
  check.equal(tx:db_type(), kind, "db_type")
  assert(tx:execute(q("INSERT INTO tx (id, body) VALUES (?, ?)"), { 1, "a" }))
  check.equal(tx:query("SELECT body FROM tx")[1].body, "a", "seen inside")
  local statement = assert(tx:prepare(q("INSERT INTO tx (id) VALUES (?)")))
  check.equal(assert(statement:execute({ 2 })).rows_affected, 1, "prepared inside")
  local ok, problem = tx:commit()
  check.equal(ok, true, "commit")
  check.equal(problem, nil, "commit")
  inactive(tx)
  check.fails("a statement ends with its transaction", "Invalid", "statement is closed", statement:query({ 3 }))
  check.fails("a statement ends with its transaction", "Invalid", "statement is already closed", statement:close())
  check.equal(check.count(db, "tx"), 2, "committed")

  tx = assert(db:begin())
  assert(tx:execute("DELETE FROM tx"))
  check.equal(check.count(tx, "tx"), 0, "inside")
  check.equal(tx:rollback(), true, "rollback")
  inactive(tx)
  check.equal(check.count(db, "tx"), 2, "rolled back")

  -- Ended by a statement: what comes then is not run outside of it.
  tx = assert(db:begin())
  statement = assert(tx:prepare("DELETE FROM tx"))
  assert(tx:execute("ROLLBACK"))
  local over = "transaction is not active: a statement has ended it"
  check.fails("execute", "Invalid", over, tx:execute("DELETE FROM tx"))
  check.fails("prepared", "Invalid", over, statement:execute())
  check.fails("savepoint", "Invalid", over, tx:savepoint("a"))
  check.fails("commit", "Invalid", over, tx:commit())
  inactive(tx)
  check.equal(check.count(db, "tx"), 2, "nothing was deleted")

  -- Savepoints.
  tx = assert(db:begin())
  check.fails("no name", "Invalid", "savepoint name is required", tx:savepoint(""))
  check.fails("bad name", "Invalid", "savepoint name can only contain alphanumeric characters and underscores", tx:savepoint("a b"))
  check.fails("bad name", "Invalid", "savepoint name can only contain alphanumeric characters and underscores", tx:rollback_to('a";'))
  check.fails("no name", "Invalid", "savepoint name is required", tx:release(""))
  check.equal(tx:savepoint("outer"), true, "savepoint")
  assert(tx:execute("INSERT INTO tx (id) VALUES (10)"))
  check.equal(tx:savepoint("1inner"), true, "savepoint")
  assert(tx:execute("INSERT INTO tx (id) VALUES (11)"))
  check.equal(tx:rollback_to("1inner"), true, "rollback_to")
  check.equal(check.count(tx, "tx"), 3, "the inner one is undone, the outer one stays")
  assert(tx:execute("INSERT INTO tx (id) VALUES (12)"))
  check.equal(tx:rollback_to("1inner"), true, "the savepoint is kept")
  check.equal(tx:release("1inner"), true, "release")
  check.equal(tx:release("outer"), true, "release")
  check.ok(tx:commit(), "commit")
  check.equal(check.count(db, "tx"), 3, "10 is kept")

  tx = assert(db:begin())
  local failed, why = tx:rollback_to("nowhere")
  check.fails("an unknown savepoint", nil, "nowhere", failed, why)
  check.ok(tx:rollback(), "still active")

  -- Options.
  check.fails("level", "Invalid", "invalid isolation level: snapshot", db:begin({ isolation = "snapshot" }))
  for name, level in pairs(sql.isolation) do
    if kind == "sqlite" or level ~= "write_committed" then
      tx = assert(db:begin({ isolation = level }))
      check.ok(tx:query("SELECT 1"), name)
      check.ok(tx:commit(), name)
    end
  end
  if kind == "postgres" then
    tx = assert(db:begin({ isolation = "serializable" }))
    check.equal(tx:query("SHOW transaction_isolation")[1].transaction_isolation, "serializable", "the level is real")
    tx:rollback()
  end
  tx = assert(db:begin({ read_only = true }))
  check.fails("read only", nil, "read", tx:execute("INSERT INTO tx (id) VALUES (20)"))
  check.ok(tx:rollback(), "rollback")
  check.ok(db:execute("INSERT INTO tx (id) VALUES (21)"), "the next one writes")
  tx = assert(db:begin("not a table"))
  check.ok(tx:rollback(), "another argument is ignored")

  -- A failed statement: the database decides what becomes of the transaction; it is over after commit either way.
  tx = assert(db:begin())
  assert(tx:execute("INSERT INTO tx (id) VALUES (30)"))
  check.fails("a taken key", nil, nil, tx:execute("INSERT INTO tx (id) VALUES (1)"))
  local committed, reason = tx:commit()
  if kind == "sqlite" then check.equal(committed, true, "SQLite keeps the rest")
  else check.fails("commit", nil, "rolled back", committed, reason) end
  inactive(tx)
  check.equal(assert(db:query("SELECT count(*) AS n FROM tx WHERE id = 30"))[1].n, kind == "sqlite" and 1 or 0, "what is there")
end

return { main = main }
