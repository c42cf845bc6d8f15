-- A process that works with the database, and ends with a transaction open.
local check = require("check")

local function main(name)
  local db, q = check.open()
  local tx = assert(db:begin())
  assert(tx:execute(q("INSERT INTO resident (id, body) VALUES (1, ?)"), { name }))
  assert(tx:commit())
  local open = assert(db:begin())
  assert(open:execute("INSERT INTO resident (id) VALUES (2)"))
  return "done"
end

return { main = main }
