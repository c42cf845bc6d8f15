-- lua/funcs.md, section 3.
local check = require("check")
local funcs = require("funcs")
local M = {}

function M.userdata_with_methods_as_fields()
  local f, err = funcs.async("test.funcs:echo", 1)
  check.eq(err, nil)
  check.eq(type(f), "userdata")
  for _, name in ipairs({ "response", "channel", "is_complete", "is_canceled", "result", "error", "cancel" }) do
    check.eq(type(f[name]), "function", name)
  end
  check.eq(f:response(), f:response())
  check.eq(f:response(), f:channel())
end

function M.never_complete_right_after_async()
  for _, target in ipairs({ "test.funcs:echo", "test.funcs:fail_text", "test.funcs:none", "test.funcs:echo_process" }) do
    local f = funcs.async(target)
    check.eq(f:is_complete(), false, target)
    local value, err = f:result()
    check.eq(value, nil)
    check.eq(err, nil)
    local failure, failed = f:error()
    check.eq(failure, nil)
    check.eq(failed, false)
    check.eq(f:is_canceled(), false)
    f:response():receive()
    check.eq(f:is_complete(), true, "after the channel was received")
  end
end

function M.success()
  local f = funcs.async("test.funcs:echo", { n = 1 })
  local p, ok = f:response():receive()
  check.eq(ok, true)
  check.eq(tostring(p), "payload{format=lua/any}")
  check.eq(p:get_format(), payload.format.LUA)
  check.eq(p:data().n, 1)
  local more, open = f:response():receive()
  check.eq(more, nil)
  check.eq(open, false, "then it closes")
  check.eq(f:result():data().n, 1, "still cached")
  check.eq(select(2, f:result()), nil)
  local err, failed = f:error()
  check.eq(err, nil)
  check.eq(failed, false)
end

function M.a_result_of_nil()
  local f = funcs.async("test.funcs:nothing")
  local p, ok = f:response():receive()
  check.eq(ok, true)
  check.eq(p:data(), nil)
  check.eq(f:result():data(), nil)
end

function M.failure()
  local f = funcs.async("test.funcs:fail_error")
  local err, ok = f:response():receive()
  check.eq(ok, true)
  check.eq(err:kind(), "Conflict")
  check.eq(err:message(), "taken")
  check.eq(err:details().id, 7)
  check.eq(select(2, f:response():receive()), false)
  local again, failed = f:error()
  check.eq(failed, true)
  check.has(again, "taken")
  local value, why = f:result()
  check.eq(value, nil)
  check.has(why, "taken")
  check.eq(f:is_canceled(), false)
end

function M.cancel_closes_the_channel()
  local began = process.listen("began")
  process.registry.register("canceller")
  local f = funcs.async("test.funcs:announces", "canceller")
  check.yes(check.soon(began))
  local done, err = f:cancel()
  check.eq(done, true)
  check.eq(err, nil)
  local v, ok = f:response():receive()
  check.eq(v, nil)
  check.eq(ok, false)
  check.eq(f:is_canceled(), true)
  local value, why = f:result()
  check.fails("Canceled", "canceled", value, why)
end

function M.cancel_before_it_began()
  local f = funcs.async("test.funcs:echo", 1)
  check.eq(f:cancel(), true)
  check.eq(f:is_canceled(), true)
  check.eq(select(2, f:response():receive()), false)
end

function M.cancel_wakes_who_waits()
  local f, done = funcs.async("test.funcs:sleep", 20000), channel.new(1)
  coroutine.spawn(function() done:send(tostring(select(2, f:response():receive()))) end)
  time.sleep("10ms")
  f:cancel()
  check.eq(check.soon(done), "false")
end

function M.cancel_after_completion_is_harmless()
  local f = funcs.async("test.funcs:echo", 1)
  f:response():receive()
  check.eq(f:cancel(), true)
  check.eq(f:is_canceled(), false)
  check.eq(f:result():data(), 1)
  check.eq(f:cancel(), true, "twice")
end

function M.select_over_several()
  local slow, quick = funcs.async("test.funcs:sleep", 300, "slow"), funcs.async("test.funcs:sleep", 10, "quick")
  local r = channel.select({ slow:response():case_receive(), quick:response():case_receive() })
  check.eq(r.channel, quick:response())
  check.eq(r.value:data(), "quick")
  local rest = channel.select({ slow:response():case_receive() })
  check.eq(rest.value:data(), "slow")
end

function M.select_in_processes()
  check.eq(funcs.call("test.funcs:selects_process"), "quick")
  check.eq(process.exec("test.funcs:selects_process", "test.funcs:host"), "quick")
end

function M.selects()
  local slow, quick = funcs.async("test.funcs:sleep", 300, "slow"), funcs.async("test.funcs:sleep", 10, "quick")
  return channel.select({ slow:response():case_receive(), quick:response():case_receive() }).value:data()
end

function M.futures_of_an_ended_call_are_dropped()
  local start = time.now()
  check.eq(funcs.call("test.funcs:drops_a_future"), "ended")
  check.yes(time.now():sub(start):seconds() < 5, "the callee was not awaited")
end

return M
