local cdc = require("cdc")
local check = require("check")

local M = {}

function M.list_sources_gives_all()
  local list, err = cdc.list_sources()
  check.equal(err, nil)
  local ids = {}
  for i, one in ipairs(list) do ids[i] = one.id end
  check.equal(table.concat(ids, " "), "cdc.lite:durable cdc.lite:idle cdc.lite:live")
end

function M.source_by_id_and_name()
  local source, err = cdc.source("cdc.lite:live")
  check.equal(err, nil)
  check.equal(source.id, "cdc.lite:live")
  check.equal(source.name, "cdc.lite:live")
  check.equal(source.kind, "db.cdc.sqlite")
  check.equal(source.slot, "")
  check.equal(source.publication, nil)
  check.equal(source.tables, nil)
  check.equal(source.state, "running")
  check.equal(source.faulted, false)
  check.equal(source.error, nil)
  for _, field in ipairs({ "streaming", "failover", "snapshot" }) do check.equal(source[field], false, field) end
  check.equal(source.engine, "sqlite")
  check.equal(source.db_resource, "cdc.lite:shop")
  check.equal(type(source.file), "string")
  check.equal(type(source.generation), "string")
  check.equal(source.epoch, "1")
  local durable = cdc.source("the durable one")
  check.equal(durable.id, "cdc.lite:durable")
  check.equal(durable.name, "the durable one")
  check.equal(table.concat(durable.tables, " "), "orders main.plain")
end

function M.capabilities()
  local live, durable = cdc.source("cdc.lite:live").capabilities, cdc.source("cdc.lite:durable").capabilities
  check.equal(live.durable, false)
  check.equal(durable.durable, true)
  check.equal(live.captures_external_writes, false)
  check.equal(durable.captures_external_writes, true)
  for _, able in ipairs({ live, durable }) do
    check.equal(able.snapshot, true)
    check.equal(able.replayable, false)
    check.equal(able.before_images, true)
    check.equal(able.coalesced, false)
  end
end

function M.not_running()
  local idle = cdc.source("cdc.lite:idle")
  check.equal(idle.state, "unknown")
  check.equal(idle.generation, nil)
  local channel, err = cdc.stream("cdc.lite:idle"):channel()
  check.fault("Unavailable", nil, channel, err, true)
end

function M.cursor_is_refused()
  for _, id in ipairs({ "cdc.lite:live", "cdc.lite:durable" }) do
    check.fault("Invalid", nil, cdc.stream(id, { after = "1" }):channel())
  end
end

return M
