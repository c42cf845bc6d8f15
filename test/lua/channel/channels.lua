-- lua/channel.md, section 1.
local check = require("check")
local M = {}

function M.it_is_a_global_and_may_be_required()
  check.eq(require("channel"), channel)
  check.eq(type(channel.new()), "userdata")
end

function M.capacity()
  for _, made in ipairs({ { channel.new() }, { channel.new(0) }, { channel.new(-3) }, { channel.new(nil) } }) do
    local r = channel.select({ made[1]:case_send(1), default = true })
    check.eq(r.default, true, "unbuffered: nobody takes it")
  end
  local two = channel.new(2)
  check.eq(two:send(1), true)
  check.eq(two:send(2), true)
  check.eq(channel.select({ two:case_send(3), default = true }).default, true, "full")
  for _, wrong in ipairs({ "x", true, {} }) do check.raises(nil, channel.new, wrong) end
end

function M.send_on_a_closed_channel_raises()
  local ch = channel.new(1)
  ch:close()
  check.raises("send on closed channel", function() ch:send(1) end)
  check.raises("send on closed channel", ch.send, ch, 1)
end

function M.closed_while_a_sender_waits()
  local ch, results = channel.new(), channel.new(1)
  coroutine.spawn(function()
    local ok, err = ch:send("lost")
    results:send({ ok, tostring(err) })
  end)
  coroutine.yield()
  ch:close()
  local got = check.soon(results)
  check.eq(got[1], nil)
  check.has(got[2], "send on closed channel")
  local v, ok = ch:receive()
  check.eq(v, nil)
  check.eq(ok, false, "the value of the sender that failed is not received")
end

function M.a_second_close_is_silent()
  local ch = channel.new()
  check.eq(select("#", ch:close()), 0, "results")
  check.eq(select("#", ch:close()), 0, "results of the second")
end

function M.values_of_every_kind_by_reference()
  local ch = channel.new(1)
  local t, f, inner = {}, function() end, channel.new()
  for _, v in ipairs({ 1, 1.5, "text", true, false, t, f, inner, coroutine.create(f) }) do
    ch:send(v)
    local got, ok = ch:receive()
    check.eq(got, v)
    check.eq(ok, true)
  end
  coroutine.spawn(function() ch:send(t) end)
  check.eq(ch:receive(), t, "through a coroutine")
end

function M.a_sent_nil_is_received()
  local ch = channel.new(1)
  ch:send(nil)
  local v, ok = ch:receive()
  check.eq(v, nil)
  check.eq(ok, true)
end

function M.unbuffered_hands_over()
  local ch, order = channel.new(), {}
  coroutine.spawn(function()
    order[#order + 1] = "sending"
    check.eq(ch:send("v"), true)
    order[#order + 1] = "sent"
  end)
  coroutine.yield()
  check.eq(table.concat(order, " "), "sending", "the sender waits for a receiver")
  local v, ok = ch:receive()
  check.eq(v, "v")
  check.eq(ok, true)
  coroutine.yield()
  check.eq(table.concat(order, " "), "sending sent", "then both go on")
end

function M.buffered_is_fifo_for_values_and_waiting_senders()
  local ch, got = channel.new(2), {}
  for i = 1, 5 do coroutine.spawn(function() ch:send(i) end) end
  coroutine.yield()
  for i = 1, 5 do got[i] = ch:receive() end
  check.eq(table.concat(got, " "), "1 2 3 4 5")
end

function M.waiting_receivers_are_served_in_order()
  local ch, done = channel.new(), channel.new(3)
  for i = 1, 3 do coroutine.spawn(function() done:send(i .. "=" .. ch:receive()) end) end
  coroutine.yield()
  for _, v in ipairs({ "a", "b", "c" }) do ch:send(v) end
  check.eq(table.concat({ check.soon(done), check.soon(done), (check.soon(done)) }, " "), "1=a 2=b 3=c")
end

function M.close_leaves_what_is_buffered()
  local ch = channel.new(3)
  ch:send(1)
  ch:send(nil)
  ch:send(3)
  ch:close()
  local found = {}
  for i = 1, 5 do
    local v, ok = ch:receive()
    found[i] = tostring(v) .. tostring(ok)
  end
  check.eq(table.concat(found, " "), "1true niltrue 3true nilfalse nilfalse")
end

function M.close_wakes_all_receivers_and_selects()
  local ch, other, done = channel.new(), channel.new(), channel.new(3)
  for _ = 1, 2 do
    coroutine.spawn(function()
      local v, ok = ch:receive()
      done:send(tostring(v) .. tostring(ok))
    end)
  end
  coroutine.spawn(function()
    local r = channel.select({ other:case_receive(), ch:case_receive() })
    done:send(tostring(r.channel == ch) .. tostring(r.value) .. tostring(r.ok))
  end)
  coroutine.yield()
  ch:close()
  local found = { check.soon(done), check.soon(done), (check.soon(done)) }
  table.sort(found)
  check.eq(table.concat(found, " "), "nilfalse nilfalse truenilfalse")
end

function M.methods_on_something_else_raise()
  local ch = channel.new()
  for _, name in ipairs({ "send", "receive", "close", "case_receive", "case_send" }) do
    for _, wrong in ipairs({ 1, "x", {}, false }) do check.raises("channel expected", ch[name], wrong) end
    check.raises("channel expected", ch[name])
  end
end

function M.equality_is_identity()
  local ch = channel.new()
  check.yes(ch == ch and ch ~= channel.new())
  local t = { [ch] = "key" }
  check.eq(t[ch], "key")
  local sent = channel.new(1)
  sent:send(ch)
  check.eq(sent:receive(), ch)
  check.eq(t[select(1, ch)], "key")
  check.eq(pcall(function() return #ch end), false, "no length")
end

function M.a_channel_does_not_cross_to_another_call()
  local v = require("funcs").call("test.channel:tell_type", channel.new())
  check.eq(v, "nil")
end

function M.tell_type(v) return type(v) end

return M
