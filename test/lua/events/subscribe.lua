local events = require("events")
local funcs = require("funcs")
local check = require("check")

local function gives_a_subscription()
  local sub, err = events.subscribe("s")
  check.equal(err, nil, "err")
  check.equal(tostring(sub), "events.Subscription{}")
end

local function wrong_types_raise()
  check.raises("bad argument #1 to 'subscribe'", events.subscribe)
  for _, system in ipairs({ true, {}, print }) do
    check.raises("bad argument #1 to 'subscribe'", events.subscribe, system)
  end
  check.raises("bad argument #1 to 'subscribe'", events.subscribe, nil, "k")
  for _, kind in ipairs({ 1, true, {}, print }) do
    check.raises("bad argument #2 to 'subscribe'", events.subscribe, "s", kind)
  end
  check.raises("bad argument #2 to 'subscribe'", events.subscribe, "s", false)
  check.raises("bad argument #2 to 'subscribe'", events.subscribe, "", 1) -- types come before values
end

local function system_is_required()
  check.fault(errors.INVALID, "system pattern is required", events.subscribe(""))
  check.fault(errors.INVALID, "system pattern is required", events.subscribe("", "k"))
  check.fault(errors.INVALID, nil, events.subscribe("\xff"))
end

-- Sends one event to each system, with it as the path; what a pattern took of them.
local function heard(pattern, systems)
  local sub = assert(events.subscribe(pattern))
  for _, system in ipairs(systems) do events.send(system, "k", system) end
  local paths = check.paths(sub:channel())
  sub:close()
  return paths
end

local function exact_system()
  check.equal(heard("test", { "test", "tests", "test.a", "Test", "a" }), "test")
  check.equal(heard("te*st", { "te*st", "teast", "te" }), "te*st", "a star elsewhere is itself")
end

local function prefix_system()
  check.equal(heard("test.*", { "test", "tests", "test.a", "test.a.b", "a.test.a", "test." }), "test.a test.a.b test.")
  check.equal(heard("te*", { "t", "te", "test", "ate" }), "te test")
end

local function star_is_every_system()
  check.equal(heard("*", { "a", "b.c", "*" }), "a b.c *")
end

local function number_is_a_system()
  check.equal(heard(5, { 5, "5", "55" }), "5 5")
end

local function kinds(pattern, sent)
  local sub = assert(events.subscribe("s", pattern))
  for _, kind in ipairs(sent) do events.send("s", kind, kind) end
  events.send("other", sent[1], "of another system")
  local paths = check.paths(sub:channel())
  sub:close()
  return paths
end

local function kind_omitted()
  check.equal(kinds(nil, { "a", "b.c" }), "a b.c")
  check.equal(kinds("", { "a", "b.c" }), "a b.c")
  check.equal(kinds("*", { "a", "b.c" }), "a b.c")
end

local function kind_exact()
  check.equal(kinds("a", { "a", "b", "ab", "a.b" }), "a")
end

local function kind_prefix()
  check.equal(kinds("a.*", { "a", "ab", "a.b", "a.b.c", "b.a.c" }), "a.b a.b.c")
end

local function active_when_it_returned()
  events.send("s", "k", "before")
  local sub = assert(events.subscribe("s"))
  events.send("s", "k", "after")
  local event, ok = sub:channel():receive()
  check.equal(ok, true)
  check.equal(event.path, "after")
end

local function hears_other_calls()
  local sub = assert(events.subscribe("answer"))
  assert(funcs.call("events.tests:sends", "answer", "k", "from another call"))
  check.equal(sub:channel():receive().path, "from another call")
  local future = funcs.async("events.tests:echoes")
  check.equal(sub:channel():receive().kind, "ready")
  events.send("question", "k", "there and back", { n = 1 })
  local event = sub:channel():receive()
  check.equal(event.path, "there and back")
  check.equal(event.data.n, 1)
  future:response():receive()
end

local function beyond_max_subscribers()
  local subs = {}
  for i = 1, 8 do subs[i] = assert(events.subscribe("s" .. i)) end
  local sub, err = events.subscribe("one more")
  check.fault(errors.UNAVAILABLE, nil, sub, err, true)
  assert(string.find(err:message(), "events.max_subscribers", 1, true), err:message())
  subs[3]:close()
  assert(events.subscribe("one more"))
end

return {
  gives_a_subscription = gives_a_subscription,
  wrong_types_raise = wrong_types_raise,
  system_is_required = system_is_required,
  exact_system = exact_system,
  prefix_system = prefix_system,
  star_is_every_system = star_is_every_system,
  number_is_a_system = number_is_a_system,
  kind_omitted = kind_omitted,
  kind_exact = kind_exact,
  kind_prefix = kind_prefix,
  active_when_it_returned = active_when_it_returned,
  hears_other_calls = hears_other_calls,
  beyond_max_subscribers = beyond_max_subscribers,
}
