local system = require("system")
local check = require("check")

local FIELDS = {
  "alloc", "total_alloc", "sys", "heap_alloc", "heap_sys", "heap_idle", "heap_in_use", "heap_released", "heap_objects",
  "stack_in_use", "stack_sys", "mspan_in_use", "mspan_sys", "num_gc", "next_gc",
}

local function stats()
  local found = check.value(system.memory.stats())
  for _, name in ipairs(FIELDS) do check.number(found[name], 0, name) end
  for _, name in ipairs({ "alloc", "sys", "heap_alloc", "heap_objects" }) do check.number(found[name], 1, name) end
end

local function allocated()
  check.number(check.value(system.memory.allocated()), 1)
end

local function heap_objects()
  check.number(check.value(system.memory.heap_objects()), 1)
end

local function limit()
  check.equal(check.value(system.memory.get_limit()), -1, "none at first")
  check.equal(check.value(system.memory.set_limit(1000000)), -1, "the previous one")
  check.equal(check.value(system.memory.get_limit()), 1000000)
  check.equal(check.value(system.memory.set_limit(0)), 1000000)
  check.equal(check.value(system.memory.get_limit()), 0)
  check.equal(check.value(system.memory.set_limit(-1)), 0)
  check.equal(check.value(system.memory.get_limit()), -1)
end

local function limit_faults()
  check.fault(errors.INVALID, nil, system.memory.set_limit())
  for _, value in ipairs({ "1000", true, {}, print }) do
    check.fault(errors.INVALID, nil, system.memory.set_limit(value))
  end
  check.fault(errors.INVALID, "limit must be non-negative or -1", system.memory.set_limit(-2))
  check.equal(check.value(system.memory.get_limit()), -1, "unchanged")
end

local function collect()
  check.equal(check.value(system.gc.collect()), true)
end

local function percent()
  check.equal(check.value(system.gc.get_percent()), 100, "the default")
  check.equal(check.value(system.gc.set_percent(50)), 100, "the previous one")
  check.equal(check.value(system.gc.get_percent()), 50)
  check.equal(check.value(system.gc.set_percent(100)), 50)
end

local function percent_faults()
  check.fault(errors.INVALID, nil, system.gc.set_percent())
  check.raises("bad argument #1 to 'set_percent' (number expected, got table)", system.gc.set_percent, {})
  check.equal(check.value(system.gc.get_percent()), 100, "unchanged")
end

return {
  stats = stats,
  allocated = allocated,
  heap_objects = heap_objects,
  limit = limit,
  limit_faults = limit_faults,
  collect = collect,
  percent = percent,
  percent_faults = percent_faults,
}
