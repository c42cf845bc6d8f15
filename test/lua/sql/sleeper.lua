-- Is in the middle of a statement when its time is over.
local check = require("check")

local SLOW = {
  postgres = "SELECT pg_sleep(600)",
  sqlite = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT max(i) FROM n",
}

local function main(where)
  local db, _, kind = check.open()
  if where == "transaction" then
    local tx = assert(db:begin())
    assert(tx:execute("INSERT INTO left_open (id) VALUES (2)"))
    assert(tx:query(SLOW[kind]))
  elseif where == "shared" then
    -- Several coroutines in one transaction: one after the other.
    local tx = assert(db:begin())
    local done = channel.new(10)
    for i = 1, 10 do
      coroutine.spawn(function() done:send(tx:query("SELECT " .. i .. " AS v")[1].v) end)
    end
    local sum = 0
    for _ = 1, 10 do sum = sum + done:receive() end
    assert(tx:commit())
    return sum
  end
  return assert(db:query(SLOW[kind]))
end

return { main = main }
