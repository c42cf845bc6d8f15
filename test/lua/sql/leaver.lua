-- Leaves everything open that can be: the end of the call has to clear it up.
local check = require("check")

local function main(how)
  local db = check.open()
  local statement = assert(db:prepare("SELECT 1 AS one"))
  local tx = assert(db:begin())
  assert(tx:execute("INSERT INTO left_open (id) VALUES (1)"))
  local inner = assert(tx:prepare("SELECT count(*) AS n FROM left_open"))
  check.equal(inner:query()[1].n, 1, "inside")
  check.equal(statement == nil, false, "a statement")
  if how == "raise" then error("on purpose") end
  return "left"
end

return { main = main }
