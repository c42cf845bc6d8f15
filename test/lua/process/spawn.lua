local check = require("check")
local HOST = "test.process:host"
local M = {}
local VARIANTS = { "spawn", "spawn_monitored", "spawn_linked", "spawn_linked_monitored" }

function M.arguments_are_the_parameters_of_main()
  local result = process.exec("test.process:give", HOST, { 1, 2, x = "y" })
  check.eq(result[2], 2)
  check.eq(result.x, "y")
  check.eq(process.exec("test.process:give", HOST), nil, "missing ones are nil")
end

function M.fewer_than_two_arguments()
  for _, name in ipairs(VARIANTS) do
    check.fails("Invalid", nil, process[name]())
    check.fails("Invalid", nil, process[name]("test.process:give"))
  end
end

function M.types_raise()
  for _, name in ipairs(VARIANTS) do
    check.raises("bad argument #1", process[name], {}, HOST)
    check.raises("bad argument #2", process[name], "test.process:give", {})
  end
end

function M.it_has_not_run_when_spawn_returns()
  local ch = process.listen("report")
  process.spawn("test.process:report", HOST, process.pid())
  check.eq(channel.select({ ch:case_receive(), default = true }).default, true)
  check.yes(check.soon(ch))
end

function M.children_outlive_their_parent()
  local ch = process.listen("child")
  local events = process.events()
  local parent = process.spawn_monitored("test.process:spawner", HOST, HOST, process.pid())
  local child = check.soon(ch)
  check.eq(check.soon(events).from, parent, "the parent has ended")
  check.eq(process.send(child, "x"), true, "the child lives")
  process.terminate(child)
end

function M.a_function_does_not_stop_its_children()
  local child = funcs.call("test.process:spawns_a_child")
  check.eq(process.terminate(child), true)
end

function M.spawns_a_child()
  return (process.spawn("test.process:wait_for_ever", HOST))
end

function M.monitor_comes_before_the_first_instruction()
  local events = process.events()
  local pid = process.spawn_monitored("test.process:give", HOST, "quick")
  local e = check.soon(events)
  check.eq(e.kind, process.event.EXIT)
  check.eq(e.from, pid)
  check.eq(e.result.value, "quick")
end

function M.link_comes_before_the_first_instruction()
  process.set_options({ trap_links = true })
  local events = process.events()
  local pid = process.spawn_linked("test.process:raise_text", HOST)
  local e = check.soon(events)
  check.eq(e.kind, process.event.LINK_DOWN)
  check.eq(e.from, pid)
end

function M.linked_and_monitored_tell_both()
  process.set_options({ trap_links = true })
  local events = process.events()
  process.spawn_linked_monitored("test.process:raise_text", HOST)
  local kinds = { [check.soon(events).kind] = true, [check.soon(events).kind] = true }
  check.yes(kinds[process.event.EXIT])
  check.yes(kinds[process.event.LINK_DOWN])
end

function M.unknown_host()
  check.fails("NotFound", "host not found", process.spawn("test.process:give", "test.process:nowhere"))
end
function M.unknown_entry()
  check.fails("NotFound", "factory not found", process.spawn("test.process:nothing", HOST))
  check.fails("NotFound", "factory not found", process.spawn("test.process:spawns_a_child", HOST))
end
function M.host_that_runs_no_processes()
  check.fails("Internal", nil, process.spawn("test.process:give", "test.process:spawns_a_child"))
end
function M.host_that_is_not_running()
  check.fails("Unavailable", "host is not running", process.spawn("test.process:give", "test.process:asleep"))
end
function M.top_level_that_raises()
  check.fails("Internal", "failed to create process", process.spawn("test.process:broken", HOST))
  local _, err = process.spawn("test.process:broken", HOST)
  check.has(err, "the top level fails")
end
function M.method_that_is_absent()
  check.fails("NotFound", 'method "no_such" not found', process.spawn("test.process:no_method", HOST))
end
function M.limits_of_a_host()
  local first = process.spawn("test.process:wait_for_ever", "test.process:small")
  local _, err = process.spawn("test.process:wait_for_ever", "test.process:small")
  check.eq(err:kind(), "Unavailable")
  check.eq(err:retryable(), true)
  process.send(first, "x") -- received at once
  local waiting = process.spawn("test.process:give", HOST)
  process.terminate(first)
end
function M.limit_of_a_mailbox()
  local ready = process.listen("ready")
  local pid = process.spawn("test.process:stubborn", "test.process:tight", process.pid())
  check.soon(ready)
  check.eq(process.send(pid, "a"), true)
  check.eq(process.send(pid, "b"), true)
  local ok, err = process.send(pid, "c")
  check.eq(ok, nil)
  check.eq(err:kind(), "Unavailable")
  check.eq(err:retryable(), true)
  process.terminate(pid)
end
function M.limit_of_a_mailbox_for_with_message()
  local ready = process.listen("ready")
  local named = process.with_context({}):with_name("tight")
  local pid = named:spawn("test.process:stubborn", "test.process:tight", process.pid())
  check.soon(ready)
  local two = named:with_message("a"):with_message("b")
  check.eq(two:spawn("test.process:stubborn", "test.process:tight"), pid)
  local none, err = two:spawn("test.process:stubborn", "test.process:tight")
  check.eq(none, nil)
  check.eq(err:kind(), "Unavailable")
  check.eq(err:retryable(), true)
  process.terminate(pid)
end

-- exec --------------------------------------------------------------------------------------------------------------
function M.exec_gives_the_result()
  check.eq(process.exec("test.process:give", HOST, 7), 7)
  local value, err = process.exec("test.process:give", HOST)
  check.eq(value, nil)
  check.eq(err, nil)
end
function M.exec_gives_the_error()
  local value, err = process.exec("test.process:give_error_object", HOST)
  check.eq(value, nil)
  check.eq(err:kind(), "Conflict")
  check.eq(err:message(), "an object")
  check.eq(err:retryable(), true)
  check.eq(err:details().a, 1)
end
function M.exec_of_what_is_terminated()
  check.fails(nil, "terminated", process.exec("test.process:self_terminate", HOST))
end
function M.exec_arguments()
  check.fails("Invalid", nil, process.exec("test.process:give"))
  check.fails("Invalid", nil, process.exec("", HOST))
  check.fails("Invalid", nil, process.exec("give", HOST))
  check.fails("Invalid", nil, process.exec(":give", HOST))
  check.fails("Invalid", nil, process.exec("test.process:", HOST))
  check.fails("Invalid", nil, process.exec("test.process:give", ""))
end
function M.exec_that_cannot_spawn()
  check.fails("Internal", "host not found", process.exec("test.process:give", "test.process:nowhere"))
end
function M.exec_in_coroutines_runs_at_once()
  local done, start = channel.new(4), time.now()
  for i = 1, 4 do
    coroutine.spawn(function() done:send(process.exec("test.process:slow", HOST, i)) end)
  end
  local sum = 0
  for i = 1, 4 do sum = sum + check.soon(done) end
  check.eq(sum, 10)
  check.yes(time.now():sub(start):milliseconds() < 700, "four of 200 ms take about one")
end
function M.slow(n)
  time.sleep("200ms")
  return n
end

-- the builder -------------------------------------------------------------------------------------------------------
function M.with_context_merges()
  local reports = process.listen("report")
  local one = process.with_context({ a = 1, b = { c = 2 } })
  local two = one:with_context({ a = "later" })
  check.yes(one ~= two, "each step is a new spawner")
  two:spawn("test.process:report", HOST, process.pid())
  local values = check.soon(reports).values
  check.eq(values.a, "later")
  check.eq(values.b.c, 2)
  one:spawn("test.process:report", HOST, process.pid())
  check.eq(check.soon(reports).values.a, 1, "the receiver is unchanged")
end
function M.context_is_inherited_from_functions()
  local reports = process.listen("report")
  funcs.new():with_context({ who = "me" }):call("test.process:spawn_report", process.pid())
  check.eq(check.soon(reports).values.who, "me")
end
function M.spawn_report(to) process.spawn("test.process:report", HOST, to) end
function M.with_context_misuse()
  check.raises(nil, process.with_context, 5)
  check.raises(nil, process.with_context, { [1] = "x" })
  check.raises(nil, process.with_options, "x")
  local s = process.with_context({})
  check.raises(nil, s.with_name, s, "")
  check.raises(nil, s.with_name, s, 5)
  check.raises(nil, s.with_message, s)
  check.raises(nil, s.with_message, s, "@x")
  check.raises(nil, s.with_actor, s, "me")
  check.raises(nil, s.with_scope, s, "mine")
end
function M.with_options_keeps_what_it_does_not_know()
  check.yes(process.with_options({ network = "n", other = 1 }):spawn("test.process:give", HOST))
end
function M.with_name_registers_before_it_runs()
  local pid = process.with_context({}):with_name("named"):spawn("test.process:echo", HOST, "n")
  check.eq(process.registry.lookup("named"), pid)
  local replies = process.listen("reply")
  process.send("named", "hello", 1)
  check.eq(check.soon(replies)[1], "hello")
  process.send("named", "stop")
end
function M.with_name_of_a_living_process_starts_nothing()
  local replies = process.listen("reply")
  local s = process.with_context({}):with_name("holder")
  local first = s:spawn("test.process:echo", HOST, "first")
  local second = s:with_message("queued", 5):spawn_monitored("test.process:echo", HOST, "second")
  check.eq(second, first)
  process.terminate(first)
  check.eq(check.soon(process.events()).from, first, "the monitor holds for the holder")
end
function M.with_message_comes_first()
  local topics = process.listen("topics")
  local s = process.with_context({}):with_message("one", 1):with_message("two", 2)
  local pid = s:spawn("test.process:first_messages", HOST, process.pid(), 3)
  process.send(pid, "three")
  local got = check.soon(topics)
  check.eq(got[1], "one/", "no sender")
  check.eq(got[2], "two/")
  check.eq(got[3], "three/" .. process.pid())
end
function M.builder_has_every_variant()
  local s = process.with_context({})
  for _, name in ipairs(VARIANTS) do check.yes(s[name](s, "test.process:give", HOST), name) end
  check.fails("NotFound", "host not found", s:spawn("test.process:give", "test.process:nowhere"))
end

return M
