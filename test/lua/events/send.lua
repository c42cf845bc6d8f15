local events = require("events")
local check = require("check")

local function gives_true()
  local sub = assert(events.subscribe("s"))
  local sent, err = events.send("s", "k", "/")
  check.equal(sent, true)
  check.equal(err, nil, "err")
  check.equal(#check.waiting(sub:channel()), 1)
end

local function succeeds_without_listeners()
  local sent, err = events.send("nobody", "k", "/", { a = 1 })
  check.equal(sent, true)
  check.equal(err, nil, "err")
end

local function wrong_types_raise()
  check.raises("bad argument #1 to 'send'", events.send)
  check.raises("bad argument #2 to 'send'", events.send, "s")
  check.raises("bad argument #3 to 'send'", events.send, "s", "k")
  check.raises("bad argument #1 to 'send'", events.send, nil, "k", "/")
  check.raises("bad argument #2 to 'send'", events.send, "s", nil, "/")
  check.raises("bad argument #3 to 'send'", events.send, "s", "k", nil, {})
  for _, wrong in ipairs({ true, {}, print }) do
    check.raises("bad argument #1 to 'send'", events.send, wrong, "k", "/")
    check.raises("bad argument #2 to 'send'", events.send, "s", wrong, "/")
    check.raises("bad argument #3 to 'send'", events.send, "s", "k", wrong)
  end
  check.raises("bad argument #3 to 'send'", events.send, "", "", {}) -- types come before values
end

local function fields_are_required()
  check.fault(errors.INVALID, "system is required", events.send("", "", ""))
  check.fault(errors.INVALID, "kind is required", events.send("s", "", ""))
  check.fault(errors.INVALID, "path is required", events.send("s", "k", ""))
  check.fault(errors.INVALID, nil, events.send("s", "k", "\xff"))
end

-- What a subscriber gets of one event.
local function received(...)
  local sub = assert(events.subscribe("*"))
  assert(events.send(...))
  local event = sub:channel():receive()
  sub:close()
  return event
end

local function numbers_are_texts()
  local event = received(1, 2.5, 3)
  check.equal(event.system, "1")
  check.equal(event.kind, "2.5")
  check.equal(event.path, "3")
end

local function event_has_its_fields()
  local event = received("shop", "order.placed", "/orders/7", "data")
  check.equal(type(event), "table")
  local found = {}
  for key in pairs(event) do found[#found + 1] = key end
  table.sort(found)
  check.equal(table.concat(found, " "), "data kind path system")
  check.equal(event.system, "shop")
  check.equal(event.kind, "order.placed")
  check.equal(event.path, "/orders/7")
  check.equal(event.data, "data")
end

local function data_is_absent()
  for _, event in ipairs({ received("s", "k", "/"), received("s", "k", "/", nil) }) do
    check.equal(rawget(event, "data"), nil)
  end
  check.equal(received("s", "k", "/", false).data, false, "false is data")
end

local function data_survives()
  check.equal(received("s", "k", "/", 42).data, 42)
  check.equal(math.type(received("s", "k", "/", 42).data), "integer")
  check.equal(received("s", "k", "/", 0.5).data, 0.5)
  check.equal(received("s", "k", "/", true).data, true)
  check.equal(received("s", "k", "/", "").data, "")
  check.equal(received("s", "k", "/", "\0\xff").data, "\0\xff")
  local data = received("s", "k", "/", { list = { 1, { deep = "x" } }, on = false, none = {} }).data
  check.equal(data.list[1], 1)
  check.equal(data.list[2].deep, "x")
  check.equal(#data.list, 2)
  check.equal(data.on, false)
  check.equal(next(data.none), nil)
end

local function data_is_a_copy()
  local a = assert(events.subscribe("s"))
  local b = assert(events.subscribe("s"))
  local data = { list = { 1 } }
  events.send("s", "k", "/", data)
  data.list[1] = "changed by the sender"
  local first = a:channel():receive()
  check.equal(first.data.list[1], 1)
  first.data.list[1] = "changed by a receiver"
  first.path = "changed"
  local second = b:channel():receive()
  check.equal(second.data.list[1], 1)
  check.equal(second.path, "/")
end

local function data_follows_the_table_of_host_data()
  local list = received("s", "k", "/", { [1] = "a", [3] = "c", lost = true }).data
  check.equal(list[1], "a")
  check.equal(list[2], nil)
  check.equal(list[3], "c")
  check.equal(list.lost, nil)
  local map = received("s", "k", "/", { [true] = 1, [0.5] = 2, [-1] = 3 }).data
  check.equal(map["true"], 1)
  check.equal(map["0.5"], 2)
  check.equal(map["-1"], 3)
  local texts = received("s", "k", "/", { f = print, c = coroutine.create(print) }).data
  check.equal(type(texts.f), "string")
  check.equal(type(texts.c), "string")
  check.equal(type(received("s", "k", "/", print).data), "string")
end

local function data_that_cannot_be_sent()
  local data = {}
  data.self = data
  check.fault(errors.INTERNAL, "recursive table at self", events.send("nobody", "k", "/", data))
  local sub = assert(events.subscribe("s"))
  check.fault(errors.INTERNAL, "recursive table at self", events.send("s", "k", "/", data))
  check.equal(#check.waiting(sub:channel()), 0)
end

local function order_is_kept()
  local sub = assert(events.subscribe("s.*"))
  for i = 1, 60 do events.send("s." .. i % 3, "k", tostring(i)) end
  local paths = check.paths(sub:channel())
  local wanted = {}
  for i = 1, 60 do wanted[i] = tostring(i) end
  check.equal(paths, table.concat(wanted, " "))
end

local function every_subscription_gets_it()
  local subs = {}
  for i, pattern in ipairs({ "s", "s*", "*", "s", "other" }) do subs[i] = assert(events.subscribe(pattern)) end
  events.send("s", "k", "/")
  local counts = {}
  for i, sub in ipairs(subs) do counts[i] = #check.waiting(sub:channel()) end
  check.equal(table.concat(counts, " "), "1 1 1 1 0")
end

return {
  gives_true = gives_true,
  succeeds_without_listeners = succeeds_without_listeners,
  wrong_types_raise = wrong_types_raise,
  fields_are_required = fields_are_required,
  numbers_are_texts = numbers_are_texts,
  event_has_its_fields = event_has_its_fields,
  data_is_absent = data_is_absent,
  data_survives = data_survives,
  data_is_a_copy = data_is_a_copy,
  data_follows_the_table_of_host_data = data_follows_the_table_of_host_data,
  data_that_cannot_be_sent = data_that_cannot_be_sent,
  order_is_kept = order_is_kept,
  every_subscription_gets_it = every_subscription_gets_it,
}
