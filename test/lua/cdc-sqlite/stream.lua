local cdc = require("cdc")
local events = require("events")
local sql = require("sql")
local check = require("check")

local SOURCES = { "cdc.lite:live", "cdc.lite:durable" }
local M = {}

-- The same for both kinds, each with a stream that sees what comes from now on.
local function on_each(options, test)
  for _, id in ipairs(SOURCES) do
    check.sql("DELETE FROM orders; DELETE FROM plain")
    local before = assert(assert(cdc.stream(id)):channel())
    check.sql("INSERT INTO orders VALUES (999, 'begin')")
    local change
    repeat change = check.next(before) until change.op == "insert" and change.after.id == 999
    test(assert(assert(cdc.stream(id, options)):channel()), id)
  end
end

function M.changes_in_commit_order()
  on_each(nil, function(ch)
    check.sql("INSERT INTO orders VALUES (1, 'a'), (2, 'b'); UPDATE orders SET name = 'c' WHERE id = 1; DELETE FROM orders WHERE id = 2")
    check.equal(check.changes(ch, 4), "insert 1 a, insert 2 b, update 1 c, delete 2 b")
  end)
end

function M.rolled_back_is_never_seen()
  on_each(nil, function(ch)
    local db = assert(sql.get("cdc.lite:shop"))
    local tx = assert(db:begin())
    assert(tx:execute("INSERT INTO orders VALUES (1, 'gone')"))
    assert(tx:rollback())
    tx = assert(db:begin())
    assert(tx:execute("INSERT INTO orders VALUES (2, 'kept')"))
    assert(tx:savepoint("s"))
    assert(tx:execute("INSERT INTO orders VALUES (3, 'gone')"))
    assert(tx:rollback_to("s"))
    assert(tx:commit())
    assert(db:execute("INSERT INTO orders VALUES (4, 'end')"))
    check.equal(check.changes(ch, 2), "insert 2 kept, insert 4 end")
  end)
end

function M.fields()
  on_each(nil, function(ch, id)
    check.sql("INSERT INTO orders VALUES (1, 'ö')")
    local change = check.next(ch)
    check.equal(change.source, cdc.source(id).name)
    check.equal(change.source_id, id)
    check.equal(change.op, "insert")
    check.equal(change.schema, "main")
    check.equal(change.table, "orders")
    check.equal(change.relation, "orders")
    check.equal(change.lsn, "")
    check.equal(type(change.cursor), "string")
    check.equal(change.generation, cdc.source(id).generation)
    check.equal(change.before, nil)
    check.equal(change.unchanged, nil)
    check.equal(change.error, nil)
    check.equal(change.after.id, 1)
    check.equal(change.after.name, "ö")
  end)
end

function M.values_are_integers_floats_and_strings()
  on_each({ tables = { "PLAIN" } }, function(ch)
    check.sql("INSERT INTO plain VALUES (7, NULL), (1.5, 'x'), ('text', x'00ff'), (9007199254740993, 9e999), (-3.0, '')")
    local row = check.next(ch).after
    check.equal(math.type(row.a), "integer")
    check.equal(row.a, 7)
    check.equal(row.b, nil)
    check.equal(next(row, (next(row))), nil)
    row = check.next(ch).after
    check.equal(row.a, 1.5)
    check.equal(row.b, "x")
    row = check.next(ch).after
    check.equal(row.a, "text")
    check.equal(row.b, "\0\255")
    row = check.next(ch).after
    check.equal(row.a, "9007199254740993")
    check.equal(row.b, math.huge)
    row = check.next(ch).after
    check.equal(row.a, -3)
    check.equal(row.b, "")
  end)
end

function M.before_of_update_and_delete()
  on_each(nil, function(ch)
    check.sql("INSERT INTO orders VALUES (1, 'a'); UPDATE orders SET id = 2 WHERE id = 1; DELETE FROM orders WHERE id = 2")
    check.equal(check.next(ch).before, nil)
    local moved = check.next(ch)
    check.equal(moved.before.id, 1)
    check.equal(moved.before.name, "a")
    check.equal(moved.after.id, 2)
    local gone = check.next(ch)
    check.equal(gone.before.id, 2)
    check.equal(gone.before.name, "a")
    check.equal(gone.after, nil)
  end)
end

function M.tables_and_ops_filter()
  on_each({ ops = { "insert" }, tables = { "main.Plain" } }, function(ch)
    check.sql("INSERT INTO orders VALUES (1, 'a'); INSERT INTO plain VALUES (7, 'x'); UPDATE plain SET a = 8; INSERT INTO plain VALUES (9, 'x')")
    check.equal(check.changes(ch, 2), "insert 7, insert 9")
  end)
end

function M.snapshot_then_live()
  for _, id in ipairs(SOURCES) do
    check.sql("DELETE FROM orders; DELETE FROM plain; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) INSERT INTO orders SELECT i, 'there' FROM n")
    local ch = assert(cdc.stream(id, { snapshot = true, tables = { "orders" }, buffer = 10 })):channel()
    coroutine.spawn(function() check.sql("UPDATE orders SET name = 'live' WHERE id <= 3") end)
    local rows, count, live = {}, 0, 0
    repeat
      local change = check.next(ch)
      if change.op == "snapshot" then
        check.equal(live, 0, "no row after a live change")
        check.equal(rows[change.after.id], nil, "twice")
        rows[change.after.id] = change.after.name
        count = count + 1
      else
        check.equal(change.op, "update")
        live = live + 1
      end
    until count == 4000 and (live == 3 or rows[1] == "live")
    check.sql("INSERT INTO orders VALUES (4001, 'new')")
    local change = check.next(ch)
    check.equal(change.op .. change.after.id, "insert4001")
  end
end

function M.slow_reader_loses_nothing()
  on_each({ ops = { "insert" }, buffer = 2 }, function(ch)
    check.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) INSERT INTO orders SELECT i, 'n' FROM n")
    for i = 1, 900 do check.equal(check.next(ch).after.id, i) end
  end)
end

function M.overflow_ends_with_an_error()
  on_each({ ops = { "insert" }, buffer = 1, max_bytes = 2000 }, function(ch, id)
    local other = assert(assert(cdc.stream(id, { ops = { "insert" } })):channel())
    check.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) INSERT INTO orders SELECT i, 'nnnnnnnnnnnnnnnnnnnn' FROM n")
    repeat local change = check.next(other) until change.after.id == 900 -- by now it has overflowed
    local count, last = 0, nil
    while true do
      local value, ok = check.next(ch)
      if not ok then break end
      count, last = count + 1, value
    end
    check.ok(count > 1 and count < 900, "received " .. count)
    check.equal(last:kind(), "Unavailable")
  end)
end

function M.bus_events()
  local changes = assert(events.subscribe("sqlite_cdc", "change")):channel()
  check.sql("DELETE FROM plain; INSERT INTO plain VALUES (77, 'x')")
  local event
  repeat event = check.next(changes) until event.data.op == "insert" and event.data.after.a == 77
  check.equal(event.path, "main.plain")
  check.equal(event.data.schema, "main")
  check.equal(event.data.table, "plain")
  check.equal(event.data.lsn, "")
  check.equal(event.data.xid, nil)
  local status = check.next(assert(events.subscribe("sqlite_cdc", "status")):channel())
  check.equal(status.path, status.data.slot)
  check.ok(status.path:match("^cdc%.lite:%a+$"))
  check.equal(type(status.data.retained_wal_bytes), "number")
end

return M
