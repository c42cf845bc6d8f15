-- lua/sql.md, section 6: statements.
local check = require("check")
local sql = require("sql")

local function main()
  local db, q = check.open()
  check.table(db, "prepared")
  local insert = assert(db:prepare(q("INSERT INTO prepared (id, body) VALUES (?, ?)")))
  check.equal(type(insert), "userdata", "a statement")
  for id = 1, 3 do check.equal(assert(insert:execute({ id, "n" .. id })).rows_affected, 1, "rows_affected") end
  check.fails("bad parameters", "Invalid", "parameters must be a table, got string", insert:execute("x"))
  check.fails("the same key", nil, nil, insert:execute({ 1, "again" }))
  check.equal(assert(insert:execute({ 4, sql.NULL })).rows_affected, 1, "usable after an error")

  local find = assert(db:prepare(q("SELECT body FROM prepared WHERE id = ?")))
  check.equal(find:query({ 2 })[1].body, "n2", "query")
  check.equal(#find:query({ 99 }), 0, "nothing")
  check.equal(#insert:query({ 5, "five" }), 0, "query without a result set")
  check.equal(check.count(db, "prepared"), 5, "but it ran")
  check.fails("no statement", nil, "syntax error", db:prepare("SELEC"))

  local ok, err = find:close()
  check.equal(ok, true, "close")
  check.equal(err, nil, "close")
  check.fails("query", "Invalid", "statement is closed", find:query({ 1 }))
  check.fails("execute", "Invalid", "statement is closed", find:execute({ 1 }))
  check.fails("close again", "Invalid", "statement is already closed", find:close())
  check.ok(insert:close(), "the other one")
end

return { main = main }
