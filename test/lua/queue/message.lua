local check = require("check")

local function only_in_a_delivery()
  check.fault("Invalid", "no delivery found in context", queue.message())
end

local function tells_of_the_delivery()
  check.job("message", "tells", nil, { string = "s", number = 7, float = 1.5, boolean = true })
  local m = check.noted("tells")
  check.equal(m.no_error, true)
  check.equal(m.kind, "userdata")
  check.equal(m.text, true)
  check.equal(m.attempt, 1)
  check.equal(m.string, "s")
  check.equal(m.number, 7)
  check.equal(m.float, 1.5)
  check.equal(m.boolean, true)
  assert(string.match(m.id, "^%x+%-%x+%-%x+%-%x+%-%x+$"), m.id)
end

local function called_functions_see_it()
  check.job("message", "called")
  local m = check.noted("called")
  check.equal(m.called, m.id)
  check.equal(m.spawned, m.id)
end

local function settled_once()
  check.job("settle_twice", "twice")
  local m = check.noted("twice")
  check.equal(m.ok, true)
  check.equal(m.no_error, true)
  for _, name in ipairs({ "ack", "nack", "called" }) do
    check.equal(m[name].kind, "Invalid", name)
    check.equal(m[name].message, "queue.Message already settled", name)
    check.equal(m[name].retryable, false, name)
  end
end

local function settled_for_all()
  check.job("settled_by_a_called_function", "by_called")
  local m = check.noted("by_called")
  check.equal(m.called, true)
  check.equal(m.own.message, "queue.Message already settled")
end

local function released_after_the_handler()
  assert(queue.publish("queue.tests:single", { act = "keep", name = "kept" }))
  check.noted("kept")
  assert(queue.publish("queue.tests:single", { act = "released", name = "released" }))
  local m = check.noted("released")
  check.equal(m.text, "queue.Message{released}")
  for _, name in ipairs({ "id", "header", "headers", "ack", "nack" }) do
    check.equal(m[name].kind, "Invalid", name)
    check.equal(m[name].message, "queue.Message released", name)
  end
end

return {
  only_in_a_delivery = only_in_a_delivery, tells_of_the_delivery = tells_of_the_delivery,
  called_functions_see_it = called_functions_see_it, settled_once = settled_once, settled_for_all = settled_for_all,
  released_after_the_handler = released_after_the_handler,
}
