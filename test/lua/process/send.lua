local check = require("check")
local HOST = "test.process:host"
local M = {}

function M.fewer_than_two_arguments()
  check.fails("Invalid", nil, process.send())
  check.fails("Invalid", nil, process.send(process.pid()))
end

function M.types_raise()
  check.raises("bad argument #1", process.send, {}, "topic")
  check.raises("bad argument #2", process.send, process.pid(), {})
end

function M.at_topics_are_refused()
  check.fails("Invalid", "cannot send to @ topics", process.send(process.pid(), "@x"))
end

function M.a_dead_pid()
  local pid = process.spawn("test.process:give", HOST)
  process.terminate(pid)
  check.fails("NotFound", "process not found", process.send(pid, "t"))
end

function M.a_pid_that_never_was()
  check.fails("NotFound", "process not found", process.send("{test.process:host|0xfffff}", "t"))
  local ok, err = process.send("{no.such:host|0x00001}", "t")
  check.eq(ok, nil)
  check.yes(err:kind() == "NotFound" or err:kind() == "Internal")
end

function M.to_oneself()
  local inbox = process.inbox()
  check.eq(process.send(process.pid(), "self", "v"), true)
  local msg = check.soon(inbox)
  check.eq(msg:topic(), "self")
  check.eq(msg:from(), process.pid())
  check.eq(msg:payload():data(), "v")
end

function M.order_across_topics()
  local got = process.listen("topics")
  local pid = process.spawn("test.process:first_messages", HOST, process.pid(), 30)
  for i = 1, 30 do process.send(pid, "t" .. (i % 3), i) end
  local topics = check.soon(got)
  for i = 1, 30 do check.eq(topics[i], "t" .. (i % 3) .. "/" .. process.pid()) end
end

function M.never_waits_and_loses_nothing()
  local me, count = process.pid(), 2000
  for i = 1, count do process.send(me, "n", i) end
  local channel = process.listen("n")
  for i = 1, count do check.eq(check.soon(channel), i) end
end

function M.payloads_cross_by_the_rules()
  local me = process.pid()
  local plain = process.listen("v")
  process.send(me, "v")
  local value, ok = check.soon(plain)
  check.eq(value, nil)
  check.eq(ok, true, "no payload is a nil value")
  process.send(me, "v", 1, nil, "three")
  local several = check.soon(plain)
  check.eq(several[1], 1)
  check.eq(several[2], nil)
  check.eq(several[3], "three")
  local shared = { x = 1 }
  local sent = { a = shared, b = shared, list = { 1, 2, 3 }, f = function() end, ch = channel.new() }
  sent.me = sent
  process.send(me, "v", sent)
  local got = check.soon(plain)
  check.yes(got ~= sent, "a copy")
  check.yes(got.a == got.b, "shared references stay shared")
  check.yes(got.me == got, "cycles stay cycles")
  check.eq(#got.list, 3)
  check.eq(got.f, nil)
  check.eq(got.ch, nil)
  process.send(me, "v", (function() return "value", nil end)())
  check.eq(check.soon(plain), "value", "the nil behind a value is no second one")
  process.send(me, "v", function() end)
  value, ok = check.soon(plain)
  check.eq(value, nil, "a function arrives as nil")
  check.eq(ok, true, "and the message is delivered")
  process.send(me, "v", errors.new({ message = "m", kind = errors.CONFLICT, retryable = true, details = { k = 1 } }))
  local err = check.soon(plain)
  check.eq(err:kind(), "Conflict")
  check.eq(err:retryable(), true)
  check.eq(err:details().k, 1)
end

function M.a_payload_or_message_becomes_nil()
  local me, inbox = process.pid(), process.inbox()
  process.send(me, "m", "x")
  local msg = check.soon(inbox)
  process.send(me, "m2", msg)
  check.eq(check.soon(inbox):payload():data(), nil)
  process.send(me, "m3", msg:payload())
  check.eq(check.soon(inbox):payload():data(), nil)
  process.send(me, "m4", msg:payload():data())
  check.eq(check.soon(inbox):payload():data(), "x")
end

return M
