-- lua/sql.md, section 7: texts and arguments.
local check = require("check")
local sql = require("sql")
local b = sql.builder

local function says(what, object, text, ...)
  local found, args = object:to_sql()
  check.equal(found, text, what)
  local wanted = { ... }
  check.equal(type(args), "table", what .. ": args")
  check.equal(#args, #wanted, what .. ": number of args")
  for i, value in ipairs(wanted) do check.equal(args[i], value, what .. ": arg " .. i) end
end
local function lacks(what, object)
  local text, err = object:to_sql()
  check.fails(what, "Invalid", nil, text, err)
end

local function main()
  local base = b.select("a", "b"):from("t")
  says("select", base, "SELECT a, b FROM t")
  says("where", base:where("a > ? AND b < ?", 1, 2), "SELECT a, b FROM t WHERE a > ? AND b < ?", 1, 2)
  says("the receiver is as it was", base, "SELECT a, b FROM t")
  says("table", base:where({ b = 2, a = "x" }), "SELECT a, b FROM t WHERE a = ? AND b = ?", "x", 2)
  says("twice", base:where("a = ?", 1):where({ b = 2 }), "SELECT a, b FROM t WHERE a = ? AND b = ?", 1, 2)
  says("all of it",
    b.select("a"):columns("count(*)"):distinct():from("t"):join("u ON u.id = t.id"):left_join("v ON v.n = ?", 7)
      :right_join("w ON true"):inner_join("x ON true"):where("a = ?", 1):group_by("a"):having("count(*) > ?", 2)
      :order_by("a DESC", "b"):limit(10):offset(20):suffix("FOR UPDATE"),
    "SELECT DISTINCT a, count(*) FROM t JOIN u ON u.id = t.id LEFT JOIN v ON v.n = ? RIGHT JOIN w ON true INNER JOIN x ON true"
      .. " WHERE a = ? GROUP BY a HAVING count(*) > ? ORDER BY a DESC, b LIMIT 10 OFFSET 20 FOR UPDATE", 7, 1, 2)
  says("negative", base:limit(-1):offset(-5), "SELECT a, b FROM t LIMIT 0 OFFSET 0")

  says("insert", b.insert("t"):columns("a", "b"):values(1, "x"), "INSERT INTO t (a,b) VALUES (?,?)", 1, "x")
  says("rows", b.insert():into("t"):columns("a"):values(1):values(2), "INSERT INTO t (a) VALUES (?),(?)", 1, 2)
  says("set_map", b.insert("t"):set_map({ b = 2, a = 1 }), "INSERT INTO t (a,b) VALUES (?,?)", 1, 2)
  says("select into", b.insert("t"):columns("a"):select(b.select("x"):from("u"):where("y = ?", 3)),
    "INSERT INTO t (a) SELECT x FROM u WHERE y = ?", 3)
  says("prefix", b.insert("t"):options("OR", "IGNORE"):prefix("WITH q AS (SELECT ?)", 9):columns("a"):values(1):suffix("RETURNING a"),
    "WITH q AS (SELECT ?) INSERT OR IGNORE INTO t (a) VALUES (?) RETURNING a", 9, 1)

  says("update", b.update("t"):set("a", 1):set("b", "x"):where({ id = 5 }), "UPDATE t SET a = ?, b = ? WHERE id = ?", 1, "x", 5)
  says("set_map", b.update():table("t"):set_map({ b = 2, a = 1 }):order_by("a"):limit(1):offset(2):suffix("RETURNING a"),
    "UPDATE t SET a = ?, b = ? ORDER BY a LIMIT 1 OFFSET 2 RETURNING a", 1, 2)
  says("from", b.update("t"):set("a", b.expr("u.x + ?", 1)):from("u"):where("t.id = u.id"), "UPDATE t SET a = u.x + ? FROM u WHERE t.id = u.id", 1)
  says("from_select", b.update("t"):set("a", 1):from_select(b.select("x"):from("u"):where("y = ?", 2), "s"):where("t.id = s.x"),
    "UPDATE t SET a = ? FROM (SELECT x FROM u WHERE y = ?) AS s WHERE t.id = s.x", 1, 2)
  says("delete", b.delete("t"):where("a = ?", 1):order_by("a"):limit(2):offset(1):suffix("RETURNING a"),
    "DELETE FROM t WHERE a = ? ORDER BY a LIMIT 2 OFFSET 1 RETURNING a", 1)
  says("delete from", b.delete():from("t"), "DELETE FROM t")

  -- Placeholders.
  local two = base:where("a = ? AND c = '?' AND b = ?", 1, 2)
  says("default", two:placeholder_format(b.default_placeholder), "SELECT a, b FROM t WHERE a = ? AND c = '?' AND b = ?", 1, 2)
  says("question", two:placeholder_format(b.question), "SELECT a, b FROM t WHERE a = ? AND c = '?' AND b = ?", 1, 2)
  says("dollar", two:placeholder_format(b.dollar), "SELECT a, b FROM t WHERE a = $1 AND c = '?' AND b = $2", 1, 2)
  says("at", two:placeholder_format(b.at), "SELECT a, b FROM t WHERE a = @p1 AND c = '?' AND b = @p2", 1, 2)
  says("colon", two:placeholder_format(b.colon), "SELECT a, b FROM t WHERE a = :1 AND c = '?' AND b = :2", 1, 2)
  check.raises("no format", nil, two.placeholder_format, two, "dollar")

  local commented = base:where("a = ? -- why?\n AND b = ? /* ? */ AND c = ?", 1, 2, 3):placeholder_format(b.dollar)
  says("comments", commented, "SELECT a, b FROM t WHERE a = $1 -- why?\n AND b = $2 /* ? */ AND c = $3", 1, 2, 3)

  -- Conditions.
  says("expr", b.expr("a = ?", 1), "a = ?", 1)
  says("eq", b.eq({ a = 1 }), "a = ?", 1)
  says("eq NULL", b.eq({ a = sql.NULL }), "a IS NULL")
  says("eq a table", b.eq({ a = { 1, 2 } }), "a IS NULL")
  says("not_eq", b.not_eq({ a = 1 }), "a <> ?", 1)
  says("not_eq NULL", b.not_eq({ a = sql.as.null() }), "a IS NOT NULL")
  says("lt", b.lt({ a = 1 }), "a < ?", 1)
  says("lte", b.lte({ a = 1 }), "a <= ?", 1)
  says("gt", b.gt({ a = 1 }), "a > ?", 1)
  says("gte", b.gte({ a = 1 }), "a >= ?", 1)
  says("like", b.like({ a = "x%" }), "a LIKE ?", "x%")
  says("not_like", b.not_like({ a = "x%" }), "a NOT LIKE ?", "x%")
  says("and_", b.and_({ b.eq({ a = 1 }), { b = 2 } }), "(a = ? AND b = ?)", 1, 2)
  says("or_", b.or_({ b.eq({ a = 1 }), b.and_({ b.gt({ b = 2 }), b.expr("c") }) }), "(a = ? OR (b > ? AND c))", 1, 2)
  says("in where", base:where(b.or_({ { a = 1 }, { a = 2 } })):having(b.eq({ b = 3 })), "SELECT a, b FROM t WHERE (a = ? OR a = ?) HAVING b = ?", 1, 2, 3)
  says("a select in an expression", base:where("a IN (?)", b.select("x"):from("u"):where("y = ?", 4)), "SELECT a, b FROM t WHERE a IN (SELECT x FROM u WHERE y = ?)", 4)

  says("an empty text says nothing", base:where(""):where("a = 1"):where(b.and_({ b.expr("") })), "SELECT a, b FROM t WHERE a = 1")
  says("an empty text alone", b.delete("t"):where(""), "DELETE FROM t")
  says("a huge limit", base:limit(math.huge):offset(1e300), "SELECT a, b FROM t LIMIT 9007199254740991 OFFSET 9007199254740991")

  -- Values.
  local text, args = b.insert("t"):columns("a", "b", "c"):values(sql.NULL, {}, sql.as.int(5)):to_sql()
  check.equal(text, "INSERT INTO t (a,b,c) VALUES (?,?,?)", "values")
  check.equal(args[1], sql.NULL, "NULL")
  check.equal(args[2], sql.NULL, "a nested table is NULL")

  -- What is incomplete, and what is of the wrong type.
  lacks("select without columns", b.select():from("t"))
  lacks("insert without table", b.insert():columns("a"):values(1))
  lacks("insert without values", b.insert("t"):columns("a"))
  lacks("insert of an empty row", b.insert("t"):columns("a"):values())
  lacks("update without table", b.update():set("a", 1))
  lacks("update without set", b.update("t"))
  lacks("delete without table", b.delete())
  lacks("less than NULL", base:where(b.lt({ a = sql.NULL })))
  for _, wrong in ipairs({ 1, true, print }) do
    check.raises("where", nil, base.where, base, wrong)
    check.raises("having", nil, base.having, base, wrong)
    check.raises("eq", nil, b.eq, wrong)
    check.raises("and_", nil, b.and_, wrong)
    check.raises("and_ of", nil, b.and_, { wrong })
    check.raises("run_with", nil, base.run_with, base, wrong)
  end
  -- A list is no condition: as one without columns it would be true of every row.
  local names = "table with names of columns as keys"
  check.raises("where a list", names, base.where, base, { "a = 1" })
  check.raises("or_ of a list", names, b.or_, { { "a = 1" } })
  for _, name in ipairs({ "eq", "not_eq", "lt", "like" }) do check.raises(name .. " a list", names, b[name], { "x", a = 1 }) end
  check.raises("set_map a list", names, b.update("t").set_map, b.update("t"), { 1 })
  check.raises("expr", nil, b.expr, {})
  check.raises("limit", nil, base.limit, base, {})

  check.equal(string.find(tostring(base:where("a = ?", 1)), "SelectBuilder: SELECT a, b FROM t WHERE a = ? [Args: ", 1, true), 1, "tostring")
  check.equal(string.find(tostring(b.insert("t"):values(1)), "InsertBuilder: INSERT INTO t", 1, true), 1, "tostring")
  check.equal(string.find(tostring(b.update("t"):set("a", 1)), "UpdateBuilder: UPDATE t", 1, true), 1, "tostring")
  check.equal(string.find(tostring(b.delete("t")), "DeleteBuilder: DELETE FROM t", 1, true), 1, "tostring")
  check.equal(tostring(b.lt({ a = sql.NULL })), "SQL: cannot use null with <: a", "tostring of what is incomplete")
  check.equal(string.find(tostring(b.eq({ a = 1 })), "SQL: a = ? [Args: ", 1, true), 1, "tostring")
end

return { main = main }
