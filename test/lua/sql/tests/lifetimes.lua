-- lua/common.md, section 9: the end of a call or process clears up.
local check = require("check")
local sql = require("sql")
local funcs = require("funcs")
local time = require("time")

local function main()
  local db = check.open()
  check.table(db, "left_open")
  for _ = 1, 25 do
    check.equal(funcs.call("sql:leaver"), "left", "left")
    check.fails("raised", nil, "on purpose", funcs.call("sql:leaver", "raise"))
  end
  check.equal(check.count(db, "left_open"), 0, "all of it was rolled back, and no connection is lost")

  -- A call that is ended in the middle of a statement gives its connection back, as soon as the database lets it.
  local function settled()
    for _ = 1, 400 do
      if db:stats().in_use == 0 then return true end
      time.sleep("50ms")
    end
    return false
  end
  check.equal(funcs.call("sql:sleeper", "shared"), 55, "a transaction that coroutines share")
  for _, where in ipairs({ "direct", "transaction" }) do
    check.fails("its time is over", "Timeout", nil, funcs.new():with_options({ timeout = "30ms" }):call("sql:sleeper", where))
    check.ok(settled(), where .. ": nothing is in use")
  end
  check.equal(check.count(db, "left_open"), 0, "and nothing was kept")

  check.table(db, "resident")
  process.with_context({}):spawn_monitored("sql:resident", "sql:workers", "guest")
  local event = channel.select({ process.events():case_receive(), time.after("20s"):case_receive() })
  check.equal(event.value.kind, process.event.EXIT, "the process has ended")
  check.equal(check.count(db, "resident"), 1, "committed work is there, the rest is rolled back")
  check.equal(db:query("SELECT body FROM resident")[1].body, "guest", "what it wrote")

  -- Nobody waits for ever: the bound of the pool is an error that says so.
  local held = {}
  for i = 1, db:stats().max_open_connections do held[i] = assert(db:begin()) end
  local value, err = db:query("SELECT 1")
  check.fails("all in use", "Unavailable", "was free within 400 ms", value, err)
  check.equal(err:retryable(), true, "worth a retry")
  for _, tx in ipairs(held) do assert(tx:rollback()) end
  check.equal(assert(db:query("SELECT 1 AS v"))[1].v, 1, "free again")
end

return { main = main }
