local system = require("system")
local check = require("check")

local function goroutines()
  check.number(check.value(system.runtime.goroutines()), 1)
end

local function max_procs()
  local before = check.value(system.runtime.max_procs())
  check.number(before, 1)
  check.equal(check.value(system.runtime.max_procs(before + 3)), before, "the previous one")
  check.equal(check.value(system.runtime.max_procs()), before + 3)
  check.equal(check.value(system.runtime.max_procs(nil)), before + 3, "nil is no argument")
  check.equal(check.value(system.runtime.max_procs(before)), before + 3)
end

local function max_procs_faults()
  local before = check.value(system.runtime.max_procs())
  for _, n in ipairs({ 0, -1, 0.5 }) do
    check.fault(errors.INVALID, "GOMAXPROCS value must be positive", system.runtime.max_procs(n))
  end
  check.raises("bad argument #1 to 'max_procs' (number expected, got table)", system.runtime.max_procs, {})
  check.equal(check.value(system.runtime.max_procs()), before, "unchanged")
end

local function cpu_count()
  check.number(check.value(system.runtime.cpu_count()), 1)
end

local function pid()
  check.number(check.value(system.process.pid()), 1)
end

local function hostname()
  check.text(check.value(system.process.hostname()))
end

local function cwd()
  check.text(check.value(system.process.cwd()))
end

local function node()
  check.text(check.value(system.node.id()))
  check.equal(check.value(system.node.addr()), "")
  check.text(check.value(system.node.role()))
end

local function cluster()
  local members = check.value(system.cluster.members())
  check.equal(#members, 1)
  check.equal(members[1].id, system.node.id())
  check.equal(check.value(system.cluster.leader()), system.node.id())
  check.equal(check.value(system.cluster.size()), 1)
end

local function raft()
  for _, name in ipairs({ "state", "leader", "members", "stats" }) do
    check.fault(errors.UNAVAILABLE, nil, system.raft[name]())
  end
end

local function lock()
  for _, name in ipairs({ "acquire", "release" }) do
    check.fault(errors.INTERNAL, nil, system.lock[name]("jobs"))
    check.fault(errors.INVALID, nil, system.lock[name]())
    check.fault(errors.INVALID, nil, system.lock[name](""))
  end
  check.fault(errors.INTERNAL, nil, system.lock.acquire("jobs", "5s"))
end

local function unchangeable()
  for _, change in ipairs({
    function() system.memory = nil end,
    function() system.memory.stats = nil end,
    function() system.gc.more = 1 end,
  }) do
    local ok, err = pcall(change)
    check.equal(ok, false)
    check.equal(string.find(tostring(err), "read-only", 1, true) ~= nil, true, tostring(err))
  end
end

return {
  goroutines = goroutines,
  max_procs = max_procs,
  max_procs_faults = max_procs_faults,
  cpu_count = cpu_count,
  pid = pid,
  hostname = hostname,
  cwd = cwd,
  node = node,
  cluster = cluster,
  raft = raft,
  lock = lock,
  unchangeable = unchangeable,
}
