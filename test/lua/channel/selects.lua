-- lua/channel.md, section 2.
local check = require("check")
local M = {}

local function full(v)
  local ch = channel.new(1)
  ch:send(v)
  return ch
end

function M.receive_got_a_value()
  local ch = full("v")
  local r = channel.select({ ch:case_receive() })
  check.eq(r.channel, ch)
  check.eq(r.value, "v")
  check.eq(r.ok, true)
  check.eq(r.default, nil)
end

function M.receive_on_a_closed_and_drained_channel()
  local ch = full("last")
  ch:close()
  check.eq(channel.select({ ch:case_receive() }).value, "last")
  for _ = 1, 2 do
    local r = channel.select({ ch:case_receive(), default = true })
    check.eq(r.channel, ch)
    check.eq(r.value, nil)
    check.eq(r.ok, false)
    check.eq(r.default, nil)
  end
end

function M.send_done()
  local ch, t = channel.new(1), {}
  local r = channel.select({ ch:case_send(t) })
  check.eq(r.channel, ch)
  check.eq(r.value, t)
  check.eq(r.ok, true)
  check.eq(r.default, nil)
  check.eq(ch:receive(), t)
end

function M.nothing_ready_with_default()
  local ch = channel.new()
  for _, r in ipairs({ channel.select({ ch:case_receive(), default = true }), channel.select({ ch:case_receive() }, true) }) do
    check.eq(r.channel, nil)
    check.eq(r.value, nil)
    check.eq(r.ok, true)
    check.eq(r.default, true)
  end
end

function M.the_first_ready_case_in_order()
  for _ = 1, 20 do
    local a, b, c = channel.new(), full("b"), full("c")
    local r = channel.select({ a:case_receive(), b:case_receive(), c:case_receive() })
    check.eq(r.value, "b")
    check.eq(c:receive(), "c", "the others are not touched")
  end
end

function M.what_is_no_case_is_ignored()
  local ch = full(1)
  local r = channel.select({ 1, "x", {}, ch:case_receive() })
  check.eq(r.value, 1)
  check.raises(nil, channel.select)
  check.raises(nil, channel.select, 7)
end

function M.it_waits_and_withdraws_the_others()
  local a, b, done = channel.new(), channel.new(), channel.new(1)
  coroutine.spawn(function() done:send(channel.select({ a:case_receive(), b:case_receive(), a:case_send("x") }).value) end)
  coroutine.yield()
  b:send("b")
  check.eq(check.soon(done), "b")
  check.eq(channel.select({ a:case_send(1), default = true }).default, true, "nobody receives on a any more")
  check.eq(channel.select({ a:case_receive(), default = true }).default, true, "nor sends")
end

function M.exactly_one_case_takes_effect()
  local a, b, done = channel.new(), channel.new(), channel.new(10)
  for _ = 1, 2 do
    coroutine.spawn(function() done:send(channel.select({ a:case_receive(), b:case_receive() }).value) end)
  end
  coroutine.yield()
  a:send(1)
  b:send(2)
  check.eq(check.soon(done) + check.soon(done), 3, "each got one of the two")
end

function M.a_send_case_waits_for_a_receiver()
  local ch, done = channel.new(), channel.new(1)
  coroutine.spawn(function()
    local r = channel.select({ ch:case_send("v") })
    done:send(tostring(r.channel == ch) .. tostring(r.value) .. tostring(r.ok))
  end)
  coroutine.yield()
  check.eq(ch:receive(), "v")
  check.eq(check.soon(done), "truevtrue")
end

function M.a_send_case_on_a_closed_channel_is_skipped()
  local closed, open = channel.new(1), channel.new()
  closed:close()
  check.eq(channel.select({ closed:case_send(1), default = true }).default, true)
  coroutine.spawn(function() open:send("open") end)
  check.eq(channel.select({ closed:case_send(1), open:case_receive() }).value, "open")
end

function M.a_send_case_whose_channel_is_closed_meanwhile()
  local closing, open, done = channel.new(), channel.new(), channel.new(1)
  coroutine.spawn(function() done:send(channel.select({ closing:case_send(1), open:case_receive() }).value) end)
  coroutine.yield()
  closing:close()
  coroutine.yield()
  open:send("still there")
  check.eq(check.soon(done), "still there")
end

function M.one_channel_in_several_cases()
  local ch = full(1)
  local r = channel.select({ ch:case_receive(), ch:case_receive(), ch:case_send(2) })
  check.eq(r.value, 1)
  local waiting, done = channel.new(), channel.new(2)
  coroutine.spawn(function() done:send(channel.select({ waiting:case_receive(), waiting:case_receive() }).value) end)
  coroutine.yield()
  waiting:send("once")
  check.eq(check.soon(done), "once")
  check.eq(channel.select({ waiting:case_send("twice"), default = true }).default, true)
end

function M.a_case_may_be_used_again()
  local ch = channel.new(1)
  local receive, send = ch:case_receive(), ch:case_send("v")
  for _ = 1, 3 do
    check.eq(channel.select({ send }).ok, true)
    check.eq(channel.select({ receive }).value, "v")
  end
end

function M.no_case()
  check.eq(channel.select({ default = true }).default, true)
  check.eq(channel.select({}, true).default, true)
  local reached = false
  coroutine.spawn(function()
    channel.select({})
    reached = true
  end)
  time.sleep("50ms")
  check.eq(reached, false, "it waits for ever")
end

function M.host_channels_are_ordinary()
  local inbox, timer = process.inbox(), time.timer("50ms")
  local future = require("funcs").async("test.channel:tell_type", 1)
  process.send(process.pid(), "topic", "hello")
  local seen = {}
  local cases = { [inbox] = "inbox", [timer:response()] = "timer", [future:response()] = "future" }
  for _ = 1, 3 do
    local list = {}
    for ch in pairs(cases) do list[#list + 1] = ch:case_receive() end
    local r = channel.select(list)
    seen[#seen + 1] = cases[r.channel]
    cases[r.channel] = nil
  end
  table.sort(seen)
  check.eq(table.concat(seen, " "), "future inbox timer")
end

function M.a_quick_and_a_slow_timer()
  local quick, slow = time.timer("10ms"), time.timer("20s")
  local r = channel.select({ slow:response():case_receive(), quick:response():case_receive() })
  check.eq(r.channel, quick:response())
  slow:stop()
end

return M
