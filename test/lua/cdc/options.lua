local cdc = require("cdc")
local security = require("security")
local funcs = require("funcs")
local check = require("check")

local ID = "cdc.tests:orders"
local M = {}

local function refused(message, options)
  check.fault("Invalid", message, cdc.stream(ID, options))
end

function M.options_must_be_a_table()
  refused("stream options must be a table", "x")
  refused("stream options must be a table", 1)
  check.ok(cdc.stream(ID))
  check.ok(cdc.stream(ID, {}))
  check.fault("Invalid", "source name is required", cdc.stream(""))
  check.raises("string expected", cdc.stream)
end

function M.unknown_fields()
  refused("stream options contains unknown field: table", { table = "orders" })
  refused("stream options contains unknown or non-string field", { "orders" })
  refused("stream options contains unknown or non-string field", { [true] = 1 })
end

local function shape(name)
  refused(name .. " must be an array of strings", { [name] = "orders" })
  refused(name .. " must be an array of strings", { [name] = { 1 } })
  refused(name .. " must be an array of strings", { [name] = { "insert", {} } })
  refused(name .. " must contain non-empty strings", { [name] = { "insert", " " } })
  refused(name .. " must be a contiguous array of strings", { [name] = { [2] = "insert" } })
  refused(name .. " must be a contiguous array of strings", { [name] = { a = "insert" } })
  local many = {}
  for i = 1, 65537 do many[i] = "insert" end
  refused(name .. " must contain at most 65536 entries", { [name] = many })
  check.ok(cdc.stream(ID, { [name] = {} }))
end

function M.tables_shape()
  shape("tables")
end

function M.ops_shape()
  shape("ops")
  check.ok(cdc.stream(ID, { ops = { "insert", "update", "delete", "truncate", "snapshot" } }))
  local stream, err = cdc.stream(ID, { ops = { "select" } })
  check.equal(stream, nil)
  check.equal(err:kind(), "Invalid")
end

local function count(name)
  refused(name .. " must be a number", { [name] = "x" })
  refused(name .. " must be a positive integer", { [name] = 0 })
  refused(name .. " must be a positive integer", { [name] = 1.5 })
  check.ok(cdc.stream(ID, { [name] = 1 }))
end

function M.buffer_shape()
  count("buffer")
  check.ok(cdc.stream(ID, { buffer = 65536 }))
  local stream, err = cdc.stream(ID, { buffer = 65537 })
  check.equal(stream, nil)
  check.equal(err:kind(), "Invalid")
end

function M.max_bytes_shape()
  count("max_bytes")
end

function M.snapshot_shape()
  refused("snapshot must be a boolean", { snapshot = "yes" })
  check.ok(cdc.stream(ID, { snapshot = false }))
end

function M.after_shape()
  refused("after must be a string", { after = 7 })
  refused("after must not be empty", { after = "" })
  check.ok(cdc.stream(ID, { after = "x" }))
end

function M.opening_is_lazy()
  check.ok(cdc.stream("cdc.tests:none"))
  check.ok(cdc.stream("cdc.tests:idle"))
end

function M.policy_subscribe()
  local function tried(policy)
    local scope = security.new_scope({ (assert(security.policy("cdc.tests:nothing"))), (assert(security.policy("cdc.tests:" .. policy))) })
    return assert(funcs.new():with_actor(security.new_actor("user")):with_scope(scope):call("cdc.tests:tried", ID)).stream
  end
  check.equal(tried("nothing"), "PermissionDenied: not allowed to cdc.subscribe: " .. ID)
  check.equal(tried("orders_only"), "stream")
end

return M
