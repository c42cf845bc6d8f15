-- lua/sql.md, sections 2 and 5.
local check = require("check")
local sql = require("sql")

local function main()
  local db, q, kind = check.open()
  check.ok(kind == "sqlite" or kind == "postgres", "type")
  local _, err = db:type()
  check.equal(err, nil, "type's error")
  check.table(db, "handle")

  local rows = assert(db:query("SELECT id, body FROM handle"))
  check.equal(type(rows), "table", "rows")
  check.equal(#rows, 0, "no rows")
  local result, problem = db:execute(q("INSERT INTO handle (id, body) VALUES (?, ?), (?, ?)"), { 41, "a", 42, sql.NULL })
  check.equal(problem, nil, "no error")
  check.equal(result.rows_affected, 2, "rows_affected")
  check.equal(math.type(result.rows_affected), "integer", "an integer")
  check.equal(result.last_insert_id, kind == "sqlite" and 42 or 0, "last_insert_id")
  check.equal(math.type(result.last_insert_id), "integer", "an integer")

  rows = assert(db:query("SELECT id, body FROM handle ORDER BY id"))
  check.equal(#rows, 2, "rows")
  check.equal(rows[1].id, 41, "id")
  check.equal(rows[1].body, "a", "body")
  check.equal(rows[2].body, nil, "NULL is absent")
  local keys = 0
  for _ in pairs(rows[2]) do keys = keys + 1 end
  check.equal(keys, 1, "and no key")
  check.equal(assert(db:query("SELECT 1 AS v, 2 AS v"))[1].v, 2, "the last of two columns")
  check.equal(assert(db:query("SELECT 1 AS v, NULL AS v"))[1].v, nil, "the last, also where it is NULL")
  check.equal(#assert(db:query("UPDATE handle SET body = 'b'")), 0, "no result set")
  check.ok(db:execute("SELECT 1"), "execute of a SELECT")
  check.raises("no text", "bad argument #1 to 'query'", db.query, db)
  check.raises("no text", "bad argument #1 to 'execute'", db.execute, db, {})
  check.raises("another object", nil, db.query, "x", "SELECT 1")

  -- What would reach the database as another text does not reach it at all.
  local tx = assert(db:begin())
  for _, target in ipairs({ db, tx }) do
    if target == tx or kind == "postgres" then
      for _, method in ipairs({ "query", "execute", "prepare" }) do
        check.fails(method .. " NUL", "Invalid", "SQL text must not contain NUL", target[method](target, "SELECT 1 AS v\0, 2 AS w"))
        check.fails(method .. " bytes", "Invalid", "SQL text must be valid UTF-8", target[method](target, "SELECT '\255' AS v"))
      end
      local select = sql.builder.select("1 AS v\0, 2 AS w")
      check.fails("builder NUL", "Invalid", "SQL text must not contain NUL", select:run_with(target))
    end
  end
  assert(tx:rollback())

  -- A driver's error has its text and leaves the handle usable.
  for _, method in ipairs({ "query", "execute", "prepare" }) do
    local value, failure = db[method](db, "SELEC 1")
    check.fails(method, nil, "syntax error", value, failure)
    check.ok(failure:kind() == "" or failure:kind() == "Internal", "the kind of a driver's error")
  end
  check.fails("unknown table", nil, "nowhere", db:query("SELECT * FROM nowhere"))
  check.equal(check.count(db, "handle"), 2, "usable")

  local stats = assert(db:stats())
  for _, name in ipairs({ "max_open_connections", "open_connections", "in_use", "idle", "wait_count", "max_idle_closed",
    "max_idle_time_closed", "max_lifetime_closed" }) do
    check.equal(type(stats[name]), "number", name)
  end
  check.equal(type(stats.wait_duration), "string", "wait_duration")
  check.ok(stats.max_open_connections >= 1, "max_open_connections")

  local statement = assert(db:prepare("SELECT 7 AS v"))
  local ok, no = db:release()
  check.equal(ok, true, "release")
  check.equal(no, nil, "release")
  check.equal(db:release(), true, "release again")
  check.fails("a released handle", "Invalid", "released", db:query("SELECT 1"))
  check.equal(statement:query()[1].v, 7, "statements opened before stay usable")
  check.ok(statement:close(), "closed")
end

return { main = main }
