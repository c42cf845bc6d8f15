local check = require("check")
local HOST = "test.process:host"
local M = {}

local function exit_of(entry, ...)
  local events = process.events()
  process.spawn_monitored("test.process:" .. entry, HOST, ...)
  return check.soon(events).result
end

function M.nothing_returned()
  local r = exit_of("give")
  check.eq(r.value, nil)
  check.eq(r.error, nil)
end
function M.a_value() check.eq(exit_of("give", { n = 1 }).value.n, 1) end
function M.false_is_a_result()
  local r = exit_of("give", false)
  check.eq(r.value, false)
  check.eq(r.error, nil)
end
function M.a_text_as_second_value()
  local err = exit_of("give_error_text").error
  check.eq(err:message(), "a text")
  check.eq(err:kind(), "Internal")
  check.eq(err:retryable(), false)
end
function M.an_error_as_second_value()
  local err = exit_of("give_error_object").error
  check.eq(err:kind(), "Conflict")
  check.eq(err:retryable(), true)
  check.eq(err:details().a, 1)
end
function M.another_second_value_is_ignored()
  local r = exit_of("give_other_second")
  check.eq(r.value, "kept")
  check.eq(r.error, nil)
end
function M.a_raised_text()
  local err = exit_of("raise_text").error
  check.has(err, "raised")
  check.yes(err:kind() == "" or err:kind() == "Internal")
  check.eq(err:retryable(), nil)
end
function M.a_raised_error()
  local err = exit_of("raise_object").error
  check.eq(err:message(), "thrown")
  check.eq(err:kind(), "Timeout")
  check.eq(err:retryable(), false)
end
function M.an_error_in_any_coroutine()
  check.has(exit_of("raise_in_coroutine").error, "in a coroutine")
end
function M.self_termination()
  local err = exit_of("self_terminate").error
  check.has(err, "process terminated")
  check.eq(err:kind(), "Internal")
end

function M.terminate_is_immediate()
  local ready, events = process.listen("ready"), process.events()
  local pid = process.spawn_monitored("test.process:stubborn", HOST, process.pid())
  check.soon(ready)
  check.eq(process.terminate(pid), true)
  check.fails("NotFound", "process not found", process.send(pid, "x"))
  local e = check.soon(events)
  check.eq(e.from, pid)
  check.eq(e.result.error:message(), "process terminated")
end
function M.terminate_what_is_gone()
  local pid = process.spawn("test.process:give", HOST)
  process.terminate(pid)
  check.fails("NotFound", "process not found", process.terminate(pid))
  check.fails("Invalid", nil, process.terminate())
  check.raises("bad argument", process.terminate, {})
end
function M.terminate_before_it_has_run()
  local events, reports = process.events(), process.listen("report")
  for try = 1, 20 do -- on a slow machine it may have run in between
    local pid = process.spawn_monitored("test.process:report", HOST, process.pid())
    process.terminate(pid)
    local result = check.soon(events).result
    local r = channel.select({ reports:case_receive(), default = true })
    if r.default then return check.has(result.error, "process terminated") end
  end
  error("it ran every time")
end
function M.names_are_free_when_exit_is_told()
  local ready, events = process.listen("ready"), process.events()
  local pid = process.spawn_monitored("test.process:registers", HOST, "mine", process.pid())
  check.soon(ready)
  check.eq(process.registry.lookup("mine"), pid)
  process.send(pid, "end")
  check.soon(events)
  check.fails("NotFound", "name not registered", process.registry.lookup("mine"))
  check.eq(process.registry.register("mine"), true)
end

--- Both are woken in one turn: the first returns, then the second writes to it.
function M.what_has_returned_is_gone_at_once()
  local ready, written = process.listen("ready"), process.listen("written")
  local first = process.spawn("test.process:echo", HOST, "first")
  local second = process.spawn("test.process:writes_on", HOST, process.pid())
  check.soon(ready)
  process.send(first, "stop")
  process.send(second, "go", first)
  local answer = check.soon(written)
  check.eq(answer.ok, false, "written to nobody")
  check.has(answer.why, "process not found")
end
function M.cancel_appends_an_event()
  local me, ready, told = process.pid(), process.listen("ready"), process.listen("event")
  local pid = process.spawn("test.process:tell_events", HOST, me)
  check.soon(ready)
  check.eq(process.cancel(pid, "because"), true)
  local e = check.soon(told)
  check.eq(e.kind, "pid.cancel")
  check.eq(e.from, me)
  check.eq(e.reason, "because")
  check.eq(type(e.at), "number")
  check.yes(math.abs(e.at - time.now():unix()) < 100)
  check.eq(process.cancel(pid), true)
  check.eq(check.soon(told).reason, "", "no reason is an empty one")
  process.terminate(pid)
end
function M.cancel_errors()
  check.fails("Invalid", nil, process.cancel())
  check.raises("bad argument #2", process.cancel, process.pid(), 5)
  local pid = process.spawn("test.process:give", HOST)
  process.terminate(pid)
  check.fails("NotFound", "process not found", process.cancel(pid))
end
function M.cancel_harms_nobody_who_does_not_look()
  local me, ready, events = process.pid(), process.listen("ready"), process.events()
  local pid = process.spawn_monitored("test.process:stubborn", HOST, me)
  check.soon(ready)
  process.cancel(pid)
  process.cancel(pid)
  process.send(pid, "end")
  check.eq(check.soon(events).result.value, "in its own time")
end
function M.cancel_of_oneself()
  process.cancel(process.pid(), "self")
  check.eq(check.soon(process.events()).reason, "self")
end
function M.a_budget_ends_a_busy_process()
  local busy, events = process.listen("busy"), process.events()
  process.spawn_monitored("test.process:busy", HOST, process.pid())
  check.soon(busy)
  local e = check.soon(events)
  check.has(e.result.error, "limit exceeded: cpu_ms 300 in test.process:busy")
end
function M.a_busy_process_does_not_stop_the_others()
  local busy = process.listen("busy")
  local pid = process.spawn("test.process:busy", HOST, process.pid())
  check.soon(busy)
  local start = time.now()
  time.sleep("10ms")
  check.yes(time.now():sub(start):milliseconds() < 160, "a sleep of 10 ms took " .. time.now():sub(start):milliseconds())
  process.terminate(pid)
end

return M
