-- lua/sql.md, section 6: every yielding method in coroutines, with channels around it.
local check = require("check")
local sql = require("sql")
local time = require("time")

local function main()
  local db, q = check.open()
  check.table(db, "co")
  local done = channel.new(8)
  for i = 1, 5 do
    coroutine.spawn(function()
      local mine = assert(sql.get("sql:db"))
      assert(mine:execute(q("INSERT INTO co (id, body) VALUES (?, ?)"), { i, "c" .. i }))
      local statement = assert(mine:prepare(q("SELECT body FROM co WHERE id = ?")))
      local body = statement:query({ i })[1].body
      assert(statement:close())
      assert(mine:release())
      done:send(body)
    end)
  end
  local seen = {}
  for _ = 1, 5 do
    local got = channel.select({ done:case_receive(), time.after("20s"):case_receive() })
    check.equal(got.channel, done, "one is done")
    seen[got.value] = true
  end
  for i = 1, 5 do check.ok(seen["c" .. i], "c" .. i) end

  -- A second user waits for the one connection, or has its own; either way it sees what was committed.
  local tx = assert(db:begin())
  assert(tx:execute("INSERT INTO co (id) VALUES (100)"))
  local outcome = channel.new(1)
  coroutine.spawn(function()
    outcome:send(check.count(assert(sql.get("sql:db")), "co"))
  end)
  time.sleep("20ms")
  assert(tx:commit())
  local n = outcome:receive()
  check.ok(n == 5 or n == 6, "a count from before or after, never from inside: " .. tostring(n))
  check.equal(check.count(db, "co"), 6, "after it")

  -- Inside pcall, and in coroutines of the user's own.
  local ok, rows = pcall(function() return db:query("SELECT 1 AS v") end)
  check.ok(ok, "pcall")
  check.equal(rows[1].v, 1, "pcall")
  local co = coroutine.wrap(function() return db:query("SELECT 2 AS v")[1].v end)
  check.equal(co(), 2, "coroutine.wrap")
end

return { main = main }
