-- Called with an actor and a scope of its own.
local sql = require("sql")

local function main(id)
  local db, err = sql.get(id)
  return { ok = db ~= nil, kind = err and err:kind(), message = err and err:message(), retryable = err and err:retryable() }
end

return { main = main }
