-- lua/funcs.md, section 1.
local check = require("check")
local funcs = require("funcs")
local M = {}

--- Both ways to call, of the module and of an executor, give `nil, err` or raise for a target in the same order.
local function each(test)
  local exec = funcs.new()
  for _, name in ipairs({ "call", "async" }) do
    test(function(...) return funcs[name](...) end, name)
    test(function(...) return exec[name](exec, ...) end, name)
  end
end

function M.a_target_of_another_type_raises()
  each(function(call)
    for _, wrong in ipairs({ true, {}, print }) do check.raises(nil, call, wrong) end
    check.raises(nil, call)
    check.raises(nil, call, nil)
  end)
end

function M.targets_are_checked_in_order()
  each(function(call)
    check.fails("Invalid", "function ID required", call(""))
    check.fails("Invalid", "namespace required in function ID", call("name"))
    check.fails("Invalid", "namespace required in function ID", call(5))
    check.fails("Invalid", "namespace required in function ID", call(":name"))
    check.fails("Invalid", "name required in function ID", call("ns:"))
    local _, err = call("")
    check.eq(err:retryable(), false)
  end)
end

function M.an_unknown_target_is_not_found()
  local v, err = funcs.call("test.funcs:none")
  check.fails("NotFound", "no handler registered for target", v, err)
  check.eq(err:details().target, "test.funcs:none")
  check.eq(err:message(), "no handler registered for target")
  local future, none = funcs.async("test.funcs:none")
  check.eq(none, nil)
  local late, ok = future:response():receive()
  check.eq(ok, true, "through the future")
  check.eq(late:kind(), "NotFound")
  check.fails("NotFound", nil, funcs.call("test.funcs:check"))
end

function M.arguments_in_any_number()
  check.eq(funcs.call("test.funcs:count"), 0)
  check.eq(funcs.call("test.funcs:count", 1, nil, 3), 3)
  local many = {}
  for i = 1, 200 do many[i] = i end
  check.eq(funcs.call("test.funcs:count", table.unpack(many)), 200)
  local back = funcs.call("test.funcs:all", "a", 2, true, { n = 1 })
  check.eq(back[1] .. back[2] .. tostring(back[3]) .. back[4].n, "a2true1")
end

function M.values_are_copied()
  local t = { n = 1, list = { 1, 2 } }
  local back = funcs.call("test.funcs:change", t)
  check.eq(t.n, 1, "the caller's own")
  check.eq(back.n, 99)
  check.yes(back ~= t and back.list ~= t.list)
  check.eq(#back.list, 2)
  check.eq(funcs.call("test.funcs:echo", print), nil, "a function becomes nil")
  check.eq(funcs.call("test.funcs:echo", payload.new(1)), nil, "and so does a Payload")
end

function M.the_first_result_counts()
  check.eq(funcs.call("test.funcs:nothing"), nil)
  check.eq(funcs.call("test.funcs:two"), 1)
  check.eq(funcs.call("test.funcs:three"), 1)
  local v, err = funcs.call("test.funcs:nothing")
  check.eq(err, nil)
  check.eq(select("#", funcs.call("test.funcs:two")), 2)
end

function M.failures_are_returned_whole()
  local v, err = funcs.call("test.funcs:fail_error")
  check.fails("Conflict", "taken", v, err)
  check.eq(err:message(), "taken")
  check.eq(err:retryable(), true)
  check.eq(err:details().id, 7)
  check.fails("Internal", "plain text", funcs.call("test.funcs:fail_text"))
  check.eq(select(2, funcs.call("test.funcs:fail_text")):retryable(), false)
  check.fails("Internal", "no kind", funcs.call("test.funcs:fail_without_kind"))
  check.fails("Internal", "callees.lua:", funcs.call("test.funcs:raise_text"))
  check.fails("NotFound", "gone", funcs.call("test.funcs:raise_error"))
  local exec = funcs.new()
  check.fails("Conflict", "taken", exec:call("test.funcs:fail_error"))
end

function M.a_process_with_a_default_host_is_callable()
  check.eq(funcs.call("test.funcs:echo_process", "v"), "v")
  check.eq(funcs.new():call("test.funcs:echo_process", "w"), "w")
  check.eq(funcs.async("test.funcs:echo_process", "x"):response():receive():data(), "x")
  check.fails("Conflict", "taken", funcs.call("test.funcs:fail_process"))
  check.fails("NotFound", "no handler registered for target", funcs.call("test.funcs:bag_process"))
end

local function seconds(start) return time.now():sub(start):seconds() end

function M.calls_run_beside_each_other()
  local start, futures = time.now(), {}
  for i = 1, 10 do futures[i] = funcs.async("test.funcs:sleep", 100, i) end
  local done = channel.new(5)
  for i = 1, 5 do coroutine.spawn(function() done:send(funcs.call("test.funcs:sleep", 100, i)) end) end
  local sum = 0
  for i = 1, 10 do sum = sum + futures[i]:response():receive():data() end
  for _ = 1, 5 do sum = sum + check.soon(done) end
  check.eq(sum, 70)
  check.yes(seconds(start) < 1.4, "about one length, not fifteen")
end

function M.a_process_for_each_call()
  local start, futures = time.now(), {}
  for i = 1, 10 do futures[i] = funcs.async("test.funcs:sleep_process", 100, i) end
  for i = 1, 10 do check.eq(futures[i]:response():receive():data(), i) end
  check.yes(seconds(start) < 0.9, "they do not queue")
end

return M
