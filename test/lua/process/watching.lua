local check = require("check")
local HOST = "test.process:host"
local M = {}

function M.constants()
  check.eq(process.event.CANCEL, "pid.cancel")
  check.eq(process.event.EXIT, "pid.exit")
  check.eq(process.event.LINK_DOWN, "pid.link.down")
  check.raises(nil, function() process.event.EXIT = "x" end)
end

function M.exit_is_a_plain_table()
  local events = process.events()
  local pid = process.spawn_monitored("test.process:raise_text", HOST)
  local e = check.soon(events)
  check.eq(type(e), "table")
  check.eq(e.kind, process.event.EXIT)
  check.eq(e.from, pid)
  check.eq(type(e.at), "number")
  check.eq(type(e.result), "table")
  check.eq(e.error, nil, "no top-level error")
  check.eq(type(e.result.error), "userdata")
  check.yes(e.result.error:message())
  check.yes(tostring(e.result.error))
end

function M.a_link_is_silent_on_a_normal_end()
  process.set_options({ trap_links = true })
  local pid = process.spawn_linked("test.process:give", HOST, 1)
  check.nothing(process.events())
end

function M.monitor()
  local pid = process.spawn("test.process:echo", HOST, "m")
  check.eq(process.monitor(pid), true)
  check.fails("Internal", "already monitoring", process.monitor(pid))
  process.send(pid, "stop")
  local events = process.events()
  check.eq(check.soon(events).from, pid)
  check.nothing(events, "a second EXIT")
end
function M.monitor_by_name()
  local pid = process.with_context({}):with_name("watched"):spawn("test.process:echo", HOST, "m")
  check.eq(process.monitor("watched"), true)
  process.terminate(pid)
  check.eq(check.soon(process.events()).from, pid)
end
function M.dead_targets()
  local pid = process.spawn("test.process:give", HOST)
  process.terminate(pid)
  check.fails("Internal", "not registered", process.monitor(pid))
  check.fails("Internal", "not registered", process.link(pid))
  check.eq(process.unmonitor(pid), true)
  check.eq(process.unlink(pid), true)
  check.nothing(process.events())
end
function M.arguments()
  for _, name in ipairs({ "monitor", "unmonitor", "link", "unlink" }) do
    check.fails("Invalid", nil, process[name]())
    check.raises("bad argument #1", process[name], {})
  end
end
function M.unmonitor()
  local pid = process.spawn_monitored("test.process:echo", HOST, "m")
  check.eq(process.unmonitor(pid), true)
  check.eq(process.unmonitor(pid), true, "of what is not monitored")
  process.terminate(pid)
  check.nothing(process.events())
end
function M.link_is_both_ways()
  local me, linked = process.pid(), process.listen("linked")
  local a = process.spawn("test.process:wait_for_ever", HOST)
  local b = process.spawn_monitored("test.process:link_and_wait", HOST, a, me)
  check.soon(linked)
  process.terminate(a)
  local e = check.soon(process.events())
  check.eq(e.from, b)
  check.has(e.result.error, "linked process failed")
end
function M.links_cascade()
  local me, linked, events = process.pid(), process.listen("linked"), process.events()
  local first = process.spawn("test.process:wait_for_ever", HOST)
  local last = first
  for i = 1, 20 do
    last = process.spawn("test.process:link_and_wait", HOST, last, me)
    check.soon(linked)
  end
  process.monitor(last)
  process.terminate(first)
  check.eq(check.soon(events).from, last)
end
function M.link_twice_and_unlink()
  local pid = process.spawn("test.process:echo", HOST, "l")
  check.eq(process.link(pid), true)
  check.eq(process.link(pid), true)
  check.eq(process.unlink(pid), true)
  check.eq(process.unlink(pid), true)
  process.terminate(pid)
  time.sleep("20ms") -- and this function lives
end
function M.trapping()
  local me, ready, told = process.pid(), process.listen("ready"), process.listen("event")
  local peer = process.spawn("test.process:echo", HOST, "p")
  local trapper = process.spawn_monitored("test.process:trap", HOST, peer, me)
  check.soon(ready)
  process.send(peer, "fail")
  local e = check.soon(told)
  check.eq(e[1], process.event.LINK_DOWN)
  check.eq(e[2], peer)
  check.has(e[3], "echo failed")
  check.eq(check.soon(process.events()).result.error, nil, "the trapper ended normally")
end
function M.monitoring_is_one_way()
  local me, ready = process.pid(), process.listen("ready")
  local target = process.spawn("test.process:wait_for_ever", HOST)
  local watcher = process.spawn("test.process:monitors", HOST, target, me)
  check.soon(ready)
  process.terminate(watcher)
  check.eq(process.send(target, "x"), true)
end
function M.options()
  local options = process.get_options()
  check.eq(options.trap_links, false)
  check.yes(options ~= process.get_options(), "a fresh table")
  local ok, err = process.set_options({ trap_links = true })
  check.eq(ok, true)
  check.eq(err, nil)
  check.eq(process.get_options().trap_links, true)
  local function refused(text, value)
    local done, why = process.set_options(value)
    check.eq(done, false)
    check.eq(why:kind(), "Invalid")
    check.eq(why:message(), text)
  end
  refused("options parameter must be a table", 5)
  refused("trap_links must be a boolean", { trap_links = "yes" })
  refused("option colour is not supported", { colour = 1, trap_links = false })
  check.eq(process.get_options().trap_links, false, "known keys of the same table are applied")
end
function M.options_are_off_for_every_new_process()
  process.set_options({ trap_links = true })
  local reports = process.listen("report")
  process.spawn("test.process:report", HOST, process.pid())
  check.eq(check.soon(reports).options.trap_links, false)
end
function M.a_function_fails_with_its_linked_process()
  local value, err = funcs.call("test.process:links_to_a_failing")
  check.eq(value, nil)
  check.has(err, "linked process failed")
end
function M.links_to_a_failing()
  process.spawn_linked("test.process:raise_text", HOST)
  time.sleep("5s")
  return "not reached"
end
function M.a_functions_end_is_an_exit()
  local done = process.listen("monitored")
  local future = funcs.async("test.process:tells_its_pid", process.pid())
  local pid = check.soon(process.listen("pid"))
  check.eq(process.monitor(pid), true)
  process.send(pid, "go")
  local e = check.soon(process.events())
  check.eq(e.kind, process.event.EXIT)
  check.eq(e.from, pid)
  check.eq(e.result.value, "done")
end
function M.tells_its_pid(to)
  process.send(to, "pid", process.pid())
  process.listen("go"):receive()
  return "done"
end

-- names -------------------------------------------------------------------------------------------------------------
function M.scopes()
  local r = process.registry
  check.eq(r.LOCAL, 0)
  check.eq(r.EVENTUAL, 1)
  check.eq(r.CONSISTENT, 2)
  check.eq(r.STRONG, 3)
  check.fails("Internal", "eventual registry not available", r.register("s", nil, r.EVENTUAL))
  check.fails("Internal", "global registry not available", r.register("s", nil, r.CONSISTENT))
  check.fails("Internal", "global registry not available", r.register("s", nil, r.STRONG))
  check.fails("Invalid", nil, r.register("s", nil, "x"))
  check.eq(r.register("s", nil, r.LOCAL), true)
end
function M.register_and_lookup()
  local r, me = process.registry, process.pid()
  check.eq(r.register("a"), true)
  check.eq(r.lookup("a"), me)
  check.eq(r.register("a"), true, "the same name for the same pid")
  check.eq(r.register("b"), true, "several names")
  check.eq(r.lookup("b"), me)
  check.fails("NotFound", "name not registered", r.lookup("c"))
  check.eq(r.unregister("a"), true)
  check.eq(r.unregister("a"), false)
  check.fails("NotFound", nil, r.lookup("a"))
end
function M.register_for_another()
  local r = process.registry
  local pid = process.spawn("test.process:echo", HOST, "o")
  check.eq(r.register("other", pid), true)
  check.eq(r.lookup("other"), pid)
  check.fails("AlreadyExists", "name already registered", r.register("other"))
  check.fails("Invalid", nil, r.register("x", 5))
  check.fails("Invalid", nil, r.register("x", "no pid"))
  check.eq(r.unregister("other"), true, "anybody may")
  process.terminate(pid)
end
function M.names_end_with_the_function()
  funcs.call("test.process:takes_a_name")
  check.fails("NotFound", nil, process.registry.lookup("taken"))
  check.eq(process.registry.register("taken"), true)
end
function M.takes_a_name() process.registry.register("taken") end

-- processes as functions ----------------------------------------------------------------------------------------------
function M.a_process_as_a_function()
  check.eq(funcs.call("test.process:callable", "x"), "x")
  local value, err = funcs.call("test.process:callable_failing")
  check.eq(value, nil)
  check.eq(err:kind(), "Conflict")
  check.eq(err:message(), "an object")
end
function M.without_a_default_host_it_is_none()
  check.fails("NotFound", "no handler registered for target", funcs.call("test.process:give"))
end
function M.calls_do_not_queue()
  local start, futures = time.now(), {}
  for i = 1, 4 do futures[i] = funcs.async("test.process:callable_slow", i) end
  for i = 1, 4 do check.eq(check.soon(futures[i]:response()):data(), i) end
  check.yes(time.now():sub(start):milliseconds() < 700, "four of 200 ms take about one")
end
function M.the_caller_is_gone()
  local told = process.listen("event")
  local future = funcs.async("test.process:callable_tell", process.pid())
  check.soon(process.listen("ready"))
  future:cancel()
  local e = check.soon(told)
  check.eq(e.kind, process.event.CANCEL)
  check.eq(e.reason, "caller context canceled")
end
function M.context_of_a_called_process()
  local reports = process.listen("report")
  funcs.new():with_context({ k = "v" }):call("test.process:callable_report", process.pid())
  check.eq(check.soon(reports).values.k, "v")
end

return M
