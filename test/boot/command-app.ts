const RESULTS = `local results = {
  nothing = function() end,
  ["nil"] = function() return nil end,
  table = function() return { 7 } end,
  string = function() return "7" end,
  zero = function() return 0 end,
  seven = function() return 7 end,
  large = function() return 256 + 9 end,
  negative = function() return -1 end,
  float = function() return 3.99 end,
  nan = function() return 0 / 0 end,
  inf = function() return math.huge end,
  minus_inf = function() return -math.huge end,
  yes = function() return true end,
  no = function() return false end,
  raise = function() error("it raised") end,
  raise_object = function() error(errors.new({ message = "an object raised", kind = errors.CONFLICT })) end,
  error_text = function() return nil, "a text" end,
  error_object = function() return 5, errors.new("an object") end,
  only_error = function() return errors.new("an object alone") end,
  second = function() return 4, 5 end,
  exit = function() require("system").exit(6) return 3 end,
  exit_elsewhere = function() return (funcs.call("app:exit", 11)) end,
  exit_large = function() require("system").exit(-1) end,
  exit_and_wait = function() require("system").exit(8) process.inbox():receive() end,
  exit_and_listen = function()
    local events = process.events()
    require("system").exit(9)
    local reason = events:receive().reason
    time.sleep("1500ms")
    require("io").print("heard of", reason)
  end,
  exit_and_fail = function() require("system").exit(10) error("after all") end,
  logs = function() require("logger"):info("said to the log") print("printed to the log") end,
}
return { main = function(name) return results[name]() end }`;

/** Waits for CANCEL where it listens, and says what came. */
const WAIT = `return { main = function(how)
  local io = require("io")
  local events = how ~= "deaf" and process.events()
  io.print("waiting", process.pid())
  if not events then time.sleep("10m") end
  local event = events:receive()
  io.print(event.kind, event.reason, event.from)
  time.sleep("20ms")
  io.print("cleaned up")
  if how == "code" then return 42 end
end }`;

/** An app whose commands end in every way, for `t.testdir`. */
export const COMMANDS = {
  '_index.yaml': `namespace: app
entries:
  - { name: terminal, kind: terminal.host, lifecycle: { auto_start: true, stop_timeout: 3s } }
  - { name: result, kind: process.lua, source: file://result.lua, method: main, modules: [system, funcs, logger, io, time], meta: { command: { name: result, short: Gives what it is told } } }
  - { name: wait, kind: process.lua, source: file://wait.lua, method: main, modules: [io, time], meta: { command: { name: wait-for-it, short: Waits } } }
  - { name: plain, kind: process.lua, source: 'return function(...) return select("#", ...) end' }
  - { name: a_twin, kind: process.lua, source: 'return function() return 1 end', meta: { command: { name: twin, short: the first } } }
  - { name: b_twin, kind: process.lua, source: 'return function() return 2 end', meta: { command: { name: twin, short: the second } } }
  - { name: broken, kind: process.lua, source: 'error("at the top")', meta: { command: { name: broken } } }
  - { name: exit, kind: function.lua, source: 'return function(n) require("system").exit(n) end', method: main, modules: [system] }
`,
  'result.lua': RESULTS,
  'wait.lua': WAIT,
};
