local cdc = require("cdc")
local security = require("security")
local funcs = require("funcs")
local check = require("check")

local ID = "cdc.tests:orders"
local M = {}

function M.list_sources_gives_all()
  local list, err = cdc.list_sources()
  check.equal(err, nil)
  check.equal(#list, 2)
  check.equal(list[1].id, "cdc.tests:idle")
  check.equal(list[2].id, ID)
end

function M.source_by_id()
  local source, err = cdc.source(ID)
  check.equal(err, nil)
  check.equal(source.id, ID)
  check.equal(source.name, ID)
  check.equal(source.kind, "db.cdc.postgres")
  check.equal(source.state, "running")
  check.equal(source.faulted, false)
  check.equal(source.error, nil)
  check.equal(source.publication, source.slot .. "_pub")
  check.equal(table.concat(source.tables, " "), "orders plain big")
  for _, field in ipairs({ "streaming", "failover", "temporary", "snapshot" }) do
    check.equal(source[field], false, field)
  end
  check.equal(source.event_system, "postgres_cdc")
  check.equal(source.engine, "postgres")
  check.equal(type(source.generation), "string")
  check.equal(type(source.epoch), "string")
end

function M.source_by_slot_name()
  check.equal(cdc.source(cdc.source(ID).slot).id, ID)
end

function M.unknown_source_is_nil()
  local source, err = cdc.source("cdc.tests:none")
  check.equal(source, nil)
  check.equal(err, nil)
end

function M.empty_name()
  check.fault("Invalid", "source name is required", cdc.source(""))
end

function M.name_must_be_a_string()
  for _, value in ipairs({ 7, true, {} }) do check.raises("string expected", cdc.source, value) end
  check.raises("string expected", cdc.source)
end

-- Under these policies alone.
local function tried(policy, id)
  local scope = security.new_scope({ (assert(security.policy("cdc.tests:nothing"))), (assert(security.policy("cdc.tests:" .. policy))) })
  return assert(funcs.new():with_actor(security.new_actor("user")):with_scope(scope):call("cdc.tests:tried", id))
end

function M.policy_source()
  check.equal(tried("nothing", ID).source, "PermissionDenied: not allowed to cdc.source: " .. ID)
  check.equal(tried("nothing", cdc.source(ID).slot).source, "PermissionDenied: not allowed to cdc.source: " .. ID)
  check.equal(tried("orders_only", ID).source, ID)
end

function M.policy_list()
  check.equal(tried("nothing", ID).listed, "")
  check.equal(tried("orders_only", ID).listed, ID)
end

function M.strict_kinds_of_info()
  local source = cdc.source(ID)
  local able = source.capabilities
  check.equal(able.snapshot, true)
  check.equal(able.durable, true)
  check.equal(able.replayable, false)
  check.equal(able.captures_external_writes, true)
  check.equal(able.before_images, true)
  check.equal(able.coalesced, false)
  for _, field in ipairs({ "active", "snapshots", "reserved_bytes", "rejected" }) do
    check.equal(math.type(source.admission[field]), "integer", field)
  end
  local idle = cdc.source("cdc.tests:idle")
  check.equal(idle.state, "unknown")
  check.equal(idle.name, "cdc.tests:idle")
  check.equal(idle.generation, nil)
  check.equal(idle.tables, nil)
end

return M
