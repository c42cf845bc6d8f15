-- lua/channel.md, sections 3 and 4, and lua/common.md, sections 4 and 6.
local check = require("check")
local M = {}

function M.spawn_returns_a_thread_at_once()
  local ran = false
  local thread = coroutine.spawn(function() ran = true end)
  check.eq(type(thread), "thread")
  check.eq(ran, false, "it first runs when the current one gives way")
  coroutine.yield()
  check.eq(ran, true)
end

function M.spawn_hands_arguments_on()
  local done = channel.new(1)
  coroutine.spawn(function(...) done:send(table.concat({ ... }, " ")) end, "a", 2, "c")
  check.eq(check.soon(done), "a 2 c")
end

function M.spawn_of_no_function_raises()
  for _, wrong in ipairs({ 1, "x", {}, true }) do check.raises(nil, coroutine.spawn, wrong) end
  check.raises(nil, coroutine.spawn)
end

function M.results_are_discarded()
  coroutine.spawn(function() return nil, "not an error of the call" end)
  coroutine.yield()
  return true
end

function M.fails_in_a_coroutine(how)
  coroutine.spawn(function()
    if how == "late" then time.sleep("10ms") end
    error("from the coroutine", 0)
  end)
  channel.new():receive()
end

function M.an_uncaught_error_fails_the_call()
  local funcs = require("funcs")
  for _, how in ipairs({ "soon", "late" }) do
    local v, err = funcs.call("test.channel:fails_in_a_coroutine", how)
    check.fails("Internal", "from the coroutine", v, err)
  end
end

function M.returns_early()
  coroutine.spawn(function()
    time.sleep("50ms")
    process.send("early_watcher", "ran", true)
  end)
  return "early"
end

function M.spawned_coroutines_end_with_main()
  local ran = process.listen("ran")
  process.registry.register("early_watcher")
  check.eq(require("funcs").call("test.channel:returns_early"), "early")
  check.nothing(ran, "a message of the dropped coroutine")
  process.send(process.pid(), "ran", 1)
  check.eq(check.soon(ran), 1, "it would have come")
end

function M.runnable_ones_run_in_order()
  local order = {}
  for i = 1, 3 do
    coroutine.spawn(function()
      for turn = 1, 2 do
        order[#order + 1] = i .. "." .. turn
        coroutine.yield()
      end
    end)
  end
  for _ = 1, 3 do coroutine.yield() end
  check.eq(table.concat(order, " "), "1.1 2.1 3.1 1.2 2.2 3.2")
end

function M.host_calls_in_coroutines_go_on_beside_each_other()
  local done, start = channel.new(3), time.now()
  for i = 1, 3 do
    coroutine.spawn(function()
      time.sleep("100ms")
      done:send(require("funcs").call("test.channel:tell_type", i))
    end)
  end
  for _ = 1, 3 do check.eq(check.soon(done), "number") end
  check.yes(time.now():sub(start):seconds() < 1.6, "about one length")
end

function M.host_yields_pass_through_user_coroutines()
  local co = coroutine.create(function(a)
    time.sleep("5ms")
    local b = coroutine.yield(a + 1)
    local ok, v = pcall(function()
      time.sleep("5ms")
      return b * 2
    end)
    return ok and v
  end)
  local ok, first = coroutine.resume(co, 1)
  check.eq(ok, true)
  check.eq(first, 2, "resume does not return early because of the sleep")
  check.eq(coroutine.status(co), "suspended")
  local _, second = coroutine.resume(co, 5)
  check.eq(second, 10)
  check.eq(coroutine.status(co), "dead")
  local values = {}
  for v in coroutine.wrap(function()
    for i = 1, 3 do
      time.sleep("1ms")
      coroutine.yield(i)
    end
  end) do
    values[#values + 1] = v
  end
  check.eq(table.concat(values, " "), "1 2 3")
end

function M.standard_functions()
  local co = coroutine.create(function() return coroutine.running() end)
  local _, inner, isMain = coroutine.resume(co)
  check.eq(inner, co)
  check.eq(isMain, false)
  local _, main = coroutine.running()
  check.eq(main, true)
  check.eq(coroutine.isyieldable(), true)
  local ok, err = coroutine.resume(co)
  check.eq(ok, false)
  check.has(err, "dead")
  check.raises("inside", coroutine.wrap(function() error("inside") end))
end

function M.producer_and_consumer()
  local ch, got = channel.new(), {}
  coroutine.spawn(function()
    for i = 1, 100 do ch:send(i) end
    ch:close()
  end)
  while true do
    local v, ok = ch:receive()
    if not ok then break end
    got[#got + 1] = v
  end
  check.eq(#got, 100)
  for i = 1, 100 do check.eq(got[i], i) end
end

function M.workers_share_the_values()
  local work, done = channel.new(), channel.new(100)
  for w = 1, 3 do
    coroutine.spawn(function()
      while true do
        local v, ok = work:receive()
        if not ok then break end
        time.sleep("1ms")
        done:send({ worker = w, value = v })
      end
    end)
  end
  for i = 1, 30 do work:send(i) end
  work:close()
  local seen, workers = {}, {}
  for _ = 1, 30 do
    local one = check.soon(done)
    check.eq(seen[one.value], nil, "each value once")
    seen[one.value] = true
    workers[one.worker] = true
  end
  check.yes(workers[1] and workers[2] and workers[3], "all of them have worked")
end

--- A receive that nobody answers keeps it alive; the cancel of its future still ends it.
function M.waits_for_ever()
  process.send("idle_watcher", "waiting", true)
  channel.new():receive()
end

function M.waiting_is_idle_and_can_be_cancelled()
  local waiting = process.listen("waiting")
  process.registry.register("idle_watcher")
  local future = require("funcs").async("test.channel:waits_for_ever")
  check.eq(check.soon(waiting), true)
  time.sleep("50ms")
  check.eq(future:is_complete(), false)
  check.eq(future:cancel(), true)
  local v, ok = future:response():receive()
  check.eq(v, nil)
  check.eq(ok, false)
end

function M.yields_to_nobody() coroutine.yield() end

function M.yield_with_nobody_left_is_a_deadlock()
  local v, err = require("funcs").call("test.channel:yields_to_nobody")
  check.fails("Internal", "deadlock: all coroutines blocked with no pending operations", v, err)
  check.has(err, "coroutines.lua:", "the file")
end

return M
