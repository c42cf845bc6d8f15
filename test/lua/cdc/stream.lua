local cdc = require("cdc")
local funcs = require("funcs")
local time = require("time")
local check = require("check")

local ID = "cdc.tests:orders"
local M = {}

-- A stream that sees what comes from now on, and nothing of what other tests have written.
local function opened(options)
  check.sql("DELETE FROM orders; DELETE FROM plain; DELETE FROM big")
  local before = assert(assert(cdc.stream(ID)):channel())
  local marker = "begin " .. time.now():unix_nano()
  check.sql("INSERT INTO orders VALUES (999, '" .. marker .. "')")
  check.sql("DELETE FROM orders WHERE id = 999")
  local change
  repeat change = check.next(before) until change.after and change.after.name == marker
  check.next(before)
  return assert(assert(cdc.stream(ID, options)):channel())
end

function M.unknown_source()
  check.fault("NotFound", nil, cdc.stream("cdc.tests:none"):channel())
end

function M.not_running()
  check.fault("Unavailable", nil, select(1, cdc.stream("cdc.tests:idle"):channel()), select(2, cdc.stream("cdc.tests:idle"):channel()), true)
end

function M.same_channel_each_time()
  local stream = cdc.stream(ID)
  check.equal(stream:channel(), stream:channel())
end

function M.receive_is_channel()
  local stream = cdc.stream(ID)
  check.equal(stream:receive(), stream:channel())
end

function M.close_is_idempotent()
  local stream = cdc.stream(ID)
  local ch = stream:channel()
  for _ = 1, 2 do
    local ok, err = stream:close()
    check.equal(ok, true)
    check.equal(err, nil)
    check.equal(stream:release(), true)
  end
  local value, ok = check.next(ch)
  check.equal(value, nil)
  check.equal(ok, false)
  check.equal(cdc.stream(ID):release(), true)
end

function M.closed_stream_raises()
  local stream = cdc.stream(ID)
  stream:close()
  check.raises("cdc stream is closed", function() stream:channel() end)
  check.raises("cdc stream is closed", function() stream:receive() end)
end

function M.cursor_is_refused()
  check.fault("Invalid", nil, cdc.stream(ID, { after = "0/1/1" }):channel())
end

function M.changes_in_commit_order()
  local ch = opened()
  check.sql("INSERT INTO orders VALUES (1, 'a'), (2, 'b'); UPDATE orders SET name = 'c' WHERE id = 1; DELETE FROM orders WHERE id = 2")
  check.equal(check.changes(ch, 4), "insert 1 a, insert 2 b, update 1 c, delete 2")
end

function M.rolled_back_is_never_seen()
  local ch = opened()
  check.sql("BEGIN; INSERT INTO orders VALUES (1, 'gone'); ROLLBACK")
  check.sql("BEGIN; INSERT INTO orders VALUES (2, 'kept'); SAVEPOINT s; INSERT INTO orders VALUES (3, 'gone'); ROLLBACK TO s; COMMIT")
  check.sql("INSERT INTO orders VALUES (4, 'end')")
  check.equal(check.changes(ch, 2), "insert 2 kept, insert 4 end")
end

function M.tables_filter()
  local ch = opened({ ops = { "insert" }, tables = { "Public.PLAIN", "big" } })
  check.sql("INSERT INTO orders VALUES (1, 'a'); INSERT INTO plain VALUES (7, 'x'); INSERT INTO big VALUES (8, 1, 'y')")
  check.equal(check.changes(ch, 2), "insert 7, insert 8")
end

function M.ops_filter()
  local ch = opened({ ops = { "update" } })
  check.sql("INSERT INTO orders VALUES (1, 'a'); UPDATE orders SET name = 'b'; DELETE FROM orders; INSERT INTO orders VALUES (2, 'a'); UPDATE orders SET name = 'c'")
  check.equal(check.changes(ch, 2), "update 1 b, update 2 c")
end

function M.null_is_absent()
  local ch = opened()
  check.sql("INSERT INTO orders VALUES (1, NULL)")
  local change = check.next(ch)
  check.equal(change.after.name, nil)
  check.equal(change.after.id, "1")
  check.equal(next(change.after, (next(change.after))), nil)
end

function M.values_are_texts()
  local ch = opened()
  check.sql("INSERT INTO orders VALUES (1, 'ö')")
  local change = check.next(ch)
  check.equal(change.source, ID)
  check.equal(change.source_id, ID)
  check.equal(change.op, "insert")
  check.equal(change.schema, "public")
  check.equal(change.table, "orders")
  check.equal(change.relation, "public.orders")
  check.ok(change.lsn:match("^%x+/%x+$"), "lsn")
  check.ok(change.commit_lsn:match("^%x+/%x+$"), "commit_lsn")
  check.equal(type(change.cursor), "string")
  check.equal(type(change.generation), "string")
  check.equal(type(change.transaction), "string")
  check.equal(math.type(change.xid), "integer")
  check.equal(change.before, nil)
  check.equal(change.unchanged, nil)
  check.equal(change.error, nil)
  check.equal(change.after.id, "1")
  check.equal(change.after.name, "ö")
end

function M.before_of_key_and_row()
  local ch = opened()
  check.sql("INSERT INTO orders VALUES (1, 'a'); UPDATE orders SET name = 'b'; UPDATE orders SET id = 2; DELETE FROM orders")
  check.next(ch)
  check.equal(check.next(ch).before, nil)
  local moved = check.next(ch)
  check.equal(moved.before.id, "1")
  check.equal(moved.after.id, "2")
  local gone = check.next(ch)
  check.equal(gone.before.id, "2")
  check.equal(gone.after, nil)
  check.sql("INSERT INTO plain VALUES (1, 'x'); UPDATE plain SET b = 'y'; DELETE FROM plain")
  check.next(ch)
  local update = check.next(ch)
  check.equal(update.before.b, "x")
  check.equal(update.after.b, "y")
  check.equal(check.next(ch).before.b, "y")
end

function M.unchanged_columns()
  local ch = opened()
  check.sql("INSERT INTO big VALUES (1, 1, repeat('long', 5000)); UPDATE big SET n = 2")
  check.equal(#check.next(ch).after.body, 20000)
  local change = check.next(ch)
  check.equal(change.after.n, "2")
  check.equal(change.after.body, nil)
  check.equal(table.concat(change.unchanged, " "), "body")
end

function M.truncate()
  local ch = opened()
  check.sql("TRUNCATE orders, plain")
  local first, second = check.next(ch), check.next(ch)
  check.equal(first.op .. second.op, "truncatetruncate")
  check.equal(first.before, nil)
  check.equal(first.after, nil)
  check.ok(first.table ~= second.table)
end

function M.snapshot_then_live()
  check.sql("DELETE FROM orders; DELETE FROM plain; DELETE FROM big; INSERT INTO orders SELECT n, 'there' FROM generate_series(1, 500) n")
  local ch = assert(cdc.stream(ID, { snapshot = true, tables = { "orders" }, buffer = 10 })):channel()
  coroutine.spawn(function() check.sql("UPDATE orders SET name = 'live' WHERE id <= 3") end)
  local rows, live = {}, 0
  repeat
    local change = check.next(ch)
    if change.op == "snapshot" then
      check.equal(live, 0, "no row after a live change")
      check.equal(change.before, nil)
      check.equal(rows[change.after.id], nil, "twice")
      rows[change.after.id] = change.after.name
    else
      live = live + (change.op == "update" and 1 or 0)
    end
    local state = {}
    for id, name in pairs(rows) do state[#state + 1] = id end
    local seen_live = rows["1"] == "live"
  until (#state == 500 and (live == 3 or seen_live))
  check.sql("INSERT INTO orders VALUES (501, 'new')")
  local change = check.next(ch)
  check.equal(change.op .. change.after.id, "insert501")
end

function M.snapshot_op_filter()
  check.sql("DELETE FROM orders; DELETE FROM plain; DELETE FROM big; INSERT INTO orders VALUES (1, 'a')")
  local ch = assert(cdc.stream(ID, { snapshot = true, ops = { "snapshot" } })):channel()
  check.sql("INSERT INTO orders VALUES (2, 'b')")
  local change = check.next(ch)
  check.equal(change.op, "snapshot")
end

function M.slow_reader_loses_nothing()
  local ch = opened({ ops = { "insert" }, buffer = 2 })
  check.sql("INSERT INTO orders SELECT n, 'n' FROM generate_series(1, 1000) n")
  for i = 1, 1000 do check.equal(check.next(ch).after.id, tostring(i)) end
end

function M.overflow_ends_with_an_error()
  local ch = opened({ ops = { "insert" }, buffer = 1, max_bytes = 2000 })
  check.sql("INSERT INTO orders SELECT n, repeat('n', 100) FROM generate_series(1, 1000) n")
  local other = opened({ ops = { "insert" } })
  check.sql("INSERT INTO orders VALUES (2000, 'end')")
  check.next(other) -- by now it has overflowed
  local count, last = 0, nil
  while true do
    local value, ok = check.next(ch)
    if not ok then break end
    count = count + 1
    last = value
  end
  check.ok(count > 1 and count < 1000, "received " .. count)
  check.equal(type(last), "userdata")
  check.equal(last:kind(), "Unavailable")
end

function M.select_with_timer()
  local ch = opened()
  local timer = time.after("20ms")
  local r = channel.select({ ch:case_receive(), timer:case_receive() })
  check.ok(r.channel == timer, tostring(r.channel == ch) .. tostring(r.value and r.value.op))
  check.sql("INSERT INTO orders VALUES (1, 'a')")
  r = channel.select({ ch:case_receive(), time.after("10s"):case_receive() })
  check.equal(r.channel, ch)
end

function M.in_a_coroutine()
  local ch = opened()
  local done = channel.new(1)
  coroutine.spawn(function()
    local stream = cdc.stream(ID)
    local _, err = stream:channel()
    done:send((ch:receive()).after.id .. tostring(err))
  end)
  check.sql("INSERT INTO orders VALUES (5, 'a')")
  check.equal(check.next(done), "5nil")
end

function M.closed_at_the_end_of_the_call()
  local before = cdc.source(ID).admission.active
  local _, err = funcs.new():call("cdc.tests:stream.same_channel_each_time")
  check.equal(err, nil)
  check.equal(cdc.source(ID).admission.active, before)
end

function M.admission_counts()
  local before = cdc.source(ID).admission
  local stream = cdc.stream(ID, { max_bytes = 5000 })
  stream:channel()
  local during = cdc.source(ID).admission
  check.equal(during.active, before.active + 1)
  check.equal(during.reserved_bytes, before.reserved_bytes + 5000)
  check.fault("Unavailable", nil, nil, select(2, cdc.stream(ID, { max_bytes = 268435456 }):channel()), true)
  check.equal(cdc.source(ID).admission.rejected, before.rejected + 1)
  stream:close()
  check.equal(cdc.source(ID).admission.active, before.active)
end

return M
