local events = require("events")
local funcs = require("funcs")
local time = require("time")
local check = require("check")

-- `max_backlog` of perilune.yaml behind the 64 of the channel.
local HELD = 64 + 10

local function channel_is_the_same()
  local sub = assert(events.subscribe("s"))
  local other = assert(events.subscribe("s"))
  assert(sub:channel() == sub:channel())
  assert(sub:channel() ~= other:channel())
  events.send("s", "k", "/")
  local r = channel.select({ sub:channel():case_receive() })
  assert(r.channel == sub:channel())
end

local function tostring_and_type()
  local sub = assert(events.subscribe("s"))
  check.equal(tostring(sub), "events.Subscription{}")
  check.equal(type(sub), "userdata")
  sub:close()
  check.equal(tostring(sub), "events.Subscription{}")
end

local function close_is_idempotent()
  local sub = assert(events.subscribe("s"))
  check.equal(sub:close(), true)
  check.equal(sub:close(), true)
  check.equal(select("#", sub:close()), 1)
end

local function close_ends_the_channel()
  local sub = assert(events.subscribe("s"))
  local ch = sub:channel()
  for i = 1, 3 do events.send("s", "k", tostring(i)) end
  check.equal(ch:receive().path, "1")
  sub:close()
  local event, ok = ch:receive()
  check.equal(event, nil)
  check.equal(ok, false)
  assert(sub:channel() == ch)
end

local function close_wakes_a_waiting_receiver()
  local sub = assert(events.subscribe("s"))
  local done = channel.new(1)
  coroutine.spawn(function()
    local event, ok = sub:channel():receive()
    done:send({ event = event, ok = ok })
  end)
  time.sleep("1ms") -- the coroutine runs and waits
  sub:close()
  local result = done:receive()
  check.equal(result.event, nil)
  check.equal(result.ok, false)
end

local function nothing_arrives_after_close()
  local closed = assert(events.subscribe("s"))
  local open = assert(events.subscribe("s"))
  closed:close()
  check.equal(events.send("s", "k", "/"), true)
  check.equal(#check.waiting(open:channel()), 1)
  check.equal(#check.waiting(closed:channel()), 0)
end

-- What was in it can still be received, as from any channel.
local function channel_closed_by_its_reader()
  local sub = assert(events.subscribe("s"))
  events.send("s", "k", "before")
  sub:channel():close()
  check.equal(events.send("s", "k", "after"), true)
  check.equal(sub:channel():receive().path, "before")
  local event, ok = sub:channel():receive()
  check.equal(event, nil)
  check.equal(ok, false)
  check.equal(sub:close(), true)
end

-- Eight places in all: twenty calls that kept theirs would not find one.
local function ends_with_its_call()
  for _ = 1, 20 do
    local subscribed, err = funcs.call("events.tests:leaves", "s")
    check.equal(err, nil, "err")
    check.equal(subscribed, true)
  end
end

local function ends_with_a_failed_call()
  for _ = 1, 20 do
    local _, err = funcs.call("events.tests:fails", "s")
    assert(string.find(err:message(), "with a subscription", 1, true), err:message())
  end
end

local function more_than_the_channel_waits_in_order()
  local sub = assert(events.subscribe("s"))
  local wanted = {}
  for i = 1, HELD do
    wanted[i] = tostring(i)
    events.send("s", "k", wanted[i])
  end
  check.equal(check.paths(sub:channel()), table.concat(wanted, " "))
end

local function beyond_max_backlog_is_dropped()
  local sub = assert(events.subscribe("s"))
  for i = 1, HELD + 5 do check.equal(events.send("s", "k", tostring(i)), true) end
  check.equal(sub:channel():receive().path, "1")
  events.send("s", "k", "has the place of the first")
  local found = check.waiting(sub:channel())
  check.equal(#found, HELD)
  check.equal(found[1].path, "2")
  check.equal(found[HELD - 1].path, tostring(HELD))
  check.equal(found[HELD].path, "has the place of the first")
end

local function select_with_timers()
  local sub = assert(events.subscribe("s"))
  local late = time.after("1h")
  events.send("s", "k", "/", { n = 1 })
  local r = channel.select({ late:case_receive(), sub:channel():case_receive() })
  assert(r.channel == sub:channel() and r.ok)
  check.equal(r.value.data.n, 1)
  local soon = time.after("1ms")
  r = channel.select({ sub:channel():case_receive(), soon:case_receive() })
  assert(r.channel == soon)
  -- Withdrawn cases take nothing.
  events.send("s", "k", "next")
  check.equal(sub:channel():receive().path, "next")
  sub:close()
  r = channel.select({ sub:channel():case_receive(), late:case_receive() })
  assert(r.channel == sub:channel())
  check.equal(r.ok, false)
end

local function wrong_receiver_raises()
  local sub = assert(events.subscribe("s"))
  check.raises("events.Subscription expected", sub.close, {})
  check.raises("events.Subscription expected", sub.channel)
  check.equal(sub.nothing, nil)
  check.raises("cannot be changed", function()
    sub.field = 1
  end)
end

return {
  channel_is_the_same = channel_is_the_same,
  tostring_and_type = tostring_and_type,
  close_is_idempotent = close_is_idempotent,
  close_ends_the_channel = close_ends_the_channel,
  close_wakes_a_waiting_receiver = close_wakes_a_waiting_receiver,
  nothing_arrives_after_close = nothing_arrives_after_close,
  channel_closed_by_its_reader = channel_closed_by_its_reader,
  ends_with_its_call = ends_with_its_call,
  ends_with_a_failed_call = ends_with_a_failed_call,
  more_than_the_channel_waits_in_order = more_than_the_channel_waits_in_order,
  beyond_max_backlog_is_dropped = beyond_max_backlog_is_dropped,
  select_with_timers = select_with_timers,
  wrong_receiver_raises = wrong_receiver_raises,
}
