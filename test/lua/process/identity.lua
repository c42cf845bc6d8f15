local check = require("check")
local HOST = "test.process:host"
local M = {}

function M.pid_is_a_text_of_the_documented_form()
  local pid = process.pid()
  check.eq(type(pid), "string")
  check.yes(pid:match("^{.+|0x%x%x%x%x%x+}$"), pid)
  check.has(pid, "test.process:", "host part of a function call")
  check.eq(process.pid(), pid, "the same process is always written the same")
  check.eq(tostring(pid), pid)
end

function M.id_is_the_entry()
  check.eq(process.id(), "test.process:identity.id_is_the_entry")
end

function M.a_process_has_its_own_pid_and_id()
  local reports = process.listen("report")
  local pid = process.spawn("test.process:report", HOST, process.pid())
  local found = check.soon(reports)
  check.eq(found.pid, pid, "what spawn returned is what the process sees")
  check.eq(found.id, "test.process:report")
  check.has(pid, HOST .. "|0x", "host part")
  check.yes(found.pid ~= process.pid())
end

function M.pids_are_never_reused()
  local seen = {}
  for i = 1, 20 do
    local pid = process.spawn("test.process:give", HOST)
    check.eq(seen[pid], nil)
    seen[pid] = true
  end
end

function M.other_forms_of_a_pid_are_understood()
  local replies = process.listen("reply")
  local pid = process.spawn("test.process:echo", HOST, "e")
  local place, unique = pid:match("^{([^|]+)|(0x%x+)}$")
  local node, host = "", place
  if place:find("@", 1, true) then node, host = place:match("^(.-@)(.*)$") end
  check.eq(process.send("{" .. host .. "|" .. unique .. "}", "a", 1), true, "without a node")
  check.eq(check.soon(replies)[1], "a")
  check.eq(process.send("{" .. node .. host .. "|some:name|" .. unique .. "}", "b", 1), true, "the older form")
  check.eq(check.soon(replies)[1], "b")
  process.send(pid, "stop")
end

function M.what_is_no_pid_is_a_name()
  check.fails("NotFound", "could not resolve 'nobody' as PID or registered name", process.send("nobody", "t"))
  check.fails("NotFound", "could not resolve '{nobody}' as PID or registered name", process.send("{nobody}", "t"))
end

return M
