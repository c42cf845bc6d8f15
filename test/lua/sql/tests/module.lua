-- lua/sql.md, section 1.
local check = require("check")
local sql = require("sql")
local funcs = require("funcs")
local security = require("security")

local function main()
  check.raises("no id", "bad argument #1 to 'get'", sql.get)
  check.raises("a table", "bad argument #1 to 'get'", sql.get, {})
  check.fails("empty", "Invalid", "resource id is required", sql.get(""))
  check.fails("unknown", "NotFound", "resource not found", sql.get("sql:none"))
  check.fails("a number", "NotFound", "resource not found", sql.get(7))
  check.fails("another kind", "Invalid", nil, sql.get("sql:leaver"))
  check.fails("not running", nil, "not running", sql.get("sql:stopped"))
  local db, err = sql.get("sql:db")
  check.ok(db, "a handle")
  check.equal(err, nil, "no error")
  check.equal(type(db), "userdata", "a host object")

  local scope = assert(security.new_scope({ assert(security.policy("sql:only_get")) }))
  local as = funcs.new():with_actor(security.new_actor("ann")):with_scope(scope)
  local allowed = assert(as:call("sql:guarded", "sql:db"))
  check.equal(allowed.ok, true, "allowed")
  local denied = assert(as:call("sql:guarded", "sql:stopped"))
  check.equal(denied.kind, "PermissionDenied", "denied")
  check.equal(denied.message, "not allowed to access database: sql:stopped", "denied")
  check.equal(denied.retryable, false, "denied, retryable")

  check.equal(sql.type.POSTGRES, "postgres", "type")
  check.equal(sql.type.MYSQL, "mysql", "type")
  check.equal(sql.type.SQLITE, "sqlite", "type")
  check.equal(sql.type.UNKNOWN, "unknown", "type")
  for _, name in ipairs({ "default", "read_uncommitted", "read_committed", "write_committed", "repeatable_read", "serializable" }) do
    check.equal(sql.isolation[string.upper(name)], name, "isolation")
  end
  check.ok(sql.NULL ~= nil, "NULL")
  check.equal(type(sql.NULL), "userdata", "NULL is opaque")
  for _, made in ipairs({ sql.as.int(1), sql.as.float(1), sql.as.text("x"), sql.as.binary("x"), sql.as.null() }) do
    check.equal(type(made), "userdata", "a typed value")
  end
  check.raises("immutable", nil, function() sql.type.OTHER = "x" end)
  check.raises("immutable", nil, function() sql.NULL = 1 end)
  check.raises("immutable", nil, function() sql.as.other = 1 end)
  check.raises("immutable", nil, function() sql.builder.other = 1 end)
end

return { main = main }
