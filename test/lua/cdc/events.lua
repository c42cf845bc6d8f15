local events = require("events")
local cdc = require("cdc")
local check = require("check")

local M = {}

function M.change_event()
  local subscription = assert(events.subscribe("postgres_cdc", "change"))
  check.sql("DELETE FROM plain; INSERT INTO plain VALUES (77, 'x'); UPDATE plain SET b = 'y' WHERE a = 77")
  local ch = subscription:channel()
  local event
  repeat event = check.next(ch) until event.data.op == "insert" and event.data.after.a == "77"
  check.equal(event.path, "public.plain")
  check.equal(event.data.schema, "public")
  check.equal(event.data.table, "plain")
  check.equal(type(event.data.lsn), "string")
  check.equal(type(event.data.commit_lsn), "string")
  check.equal(math.type(event.data.xid), "integer")
  check.equal(event.data.before, nil)
  event = check.next(ch)
  check.equal(event.data.op, "update")
  check.equal(event.data.before.b, "x")
end

function M.status_event()
  local subscription = assert(events.subscribe("postgres_cdc", "status"))
  local event = check.next(subscription:channel())
  local slot = cdc.source("cdc.tests:orders").slot
  check.equal(event.path, slot)
  check.equal(event.data.slot, slot)
  check.equal(type(event.data.retained_wal_bytes), "number")
end

return M
