local system = require("system")
local time = require("time")
local check = require("check")

local STATUSES = {}
for name in string.gmatch("unknown starting running stopping stopped exited failed", "%a+") do STATUSES[name] = true end

local function check_state(state)
  check.text(state.id)
  check.equal(STATUSES[state.status], true, "status " .. tostring(state.status))
  check.equal(STATUSES[state.desired], true, "desired " .. tostring(state.desired))
  check.number(state.retry_count, 0, "retry_count")
  check.number(state.last_update, 0, "last_update")
  check.number(state.started_at, 0, "started_at")
  check.equal(type(state.details), "string")
end

local function running()
  local state = check.value(system.supervisor.state("system.tests:cache"))
  check_state(state)
  check.equal(state.id, "system.tests:cache")
  check.equal(state.status, "running")
  check.equal(state.desired, "running")
  check.equal(state.retry_count, 0)
  check.equal(state.details, "")
  -- Nanoseconds since the epoch, within the life of this program.
  local ago = os.time() - state.started_at / 1e9
  check.equal(ago > -2 and ago < 600, true, "started " .. ago .. " s ago")
  check.equal(state.last_update, state.started_at)
end

-- Nothing starts it.
local function idle()
  local state = check.value(system.supervisor.state("system.tests:idle"))
  check_state(state)
  check.equal(state.status, "unknown")
  check.equal(state.desired, "stopped")
  check.equal(state.started_at, 0)
end

-- Its address is of no interface: it is optional, so it is tried again and again.
local function restarting()
  local state = check.value(system.supervisor.state("system.tests:nowhere"))
  check_state(state)
  check.equal(state.status, "starting")
  check.equal(state.desired, "running")
  check.number(state.retry_count, 1, "retry_count")
  check.equal(string.find(state.details, "192.0.2.1", 1, true) ~= nil, true, state.details)
end

-- It is optional too, but tried again only once.
local function failed()
  local state
  for _ = 1, 1000 do
    state = check.value(system.supervisor.state("system.tests:broken"))
    if state.status == "failed" then break end
    time.sleep("10ms")
  end
  check_state(state)
  check.equal(state.status, "failed")
  check.equal(state.desired, "running")
  check.equal(state.retry_count, 1)
end

local function states()
  local ids = {}
  for i, state in ipairs(check.value(system.supervisor.states())) do
    check_state(state)
    ids[i] = state.id
  end
  check.equal(
    table.concat(ids, " "),
    "system.tests:broken system.tests:cache system.tests:idle system.tests:nowhere",
    "the services of the app, and nothing else"
  )
end

local function state_faults()
  check.fault(errors.NOT_FOUND, "service not found: system.tests:gone", system.supervisor.state("system.tests:gone"))
  check.fault(errors.NOT_FOUND, nil, system.supervisor.state("system.tests:check")) -- an entry that is no service
  check.fault(errors.INVALID, nil, system.supervisor.state())
end

local function hosts()
  for _, host in ipairs(check.value(system.hosts.list())) do
    check.text(host.id)
    for _, name in ipairs({ "workers", "processes", "executed", "stolen", "queue_depth" }) do
      check.number(host[name], 0, name)
    end
  end
end

local function host_processes()
  check.equal(#check.value(system.hosts.processes("system.tests:gone")), 0)
  check.fault(errors.INVALID, nil, system.hosts.processes(""))
  check.fault(errors.INVALID, nil, system.hosts.processes())
end

local function modules()
  local found = {}
  for _, module in ipairs(check.value(system.modules())) do
    check.text(module.name)
    check.text(module.description, module.name)
    check.equal(type(module.class), "table", module.name)
    for _, class in ipairs(module.class) do check.text(class, module.name) end
    found[module.name] = #module.class
  end
  for _, name in ipairs({ "system", "time", "string", "errors" }) do check.number(found[name], 1, name) end
end

local function exit_faults()
  check.raises("bad argument #1 to 'exit' (number expected, got table)", system.exit, {})
end

return {
  running = running,
  idle = idle,
  restarting = restarting,
  failed = failed,
  states = states,
  state_faults = state_faults,
  hosts = hosts,
  host_processes = host_processes,
  modules = modules,
  exit_faults = exit_faults,
}
