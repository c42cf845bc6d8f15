local sql = require("sql")

local function read(times)
  local db = assert(sql.get("bench:db"))
  local sum = 0
  for i = 1, times do
    local rows = assert(db:query("SELECT id, body, n, at FROM notes WHERE id = $1", { i % 100 + 1 }))
    sum = sum + rows[1].n
  end
  return sum
end

return { read = read }
