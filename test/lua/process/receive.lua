local check = require("check")
local HOST = "test.process:host"
local M = {}

function M.the_same_channel_on_every_call()
  check.yes(process.inbox() == process.inbox(), "inbox")
  check.yes(process.events() == process.events(), "events")
  check.yes(process.listen("a") == process.listen("a"), "topic")
  check.yes(process.listen("a") ~= process.listen("b"), "topics differ")
  check.yes(process.inbox() ~= process.events())
  check.yes(process.inbox() ~= process.listen("a"))
end

function M.select_gives_that_channel()
  local inbox = process.inbox()
  process.send(process.pid(), "t")
  local r = channel.select({ inbox:case_receive(), time.after("5s"):case_receive() })
  check.yes(r.channel == inbox)
  check.eq(r.ok, true)
end

function M.listen_errors()
  check.raises("bad argument #1", process.listen, {})
  check.fails("Invalid", "topic cannot be empty", process.listen(""))
  check.fails("Invalid", "cannot listen to @ topics", process.listen("@x"))
end

function M.listen_gives_plain_values_or_messages()
  local me = process.pid()
  local plain = process.listen("plain")
  local wrapped = process.listen("wrapped", { message = true })
  process.send(me, "plain", { n = 1 })
  process.send(me, "wrapped", { n = 2 })
  check.eq(check.soon(plain).n, 1)
  local msg = check.soon(wrapped)
  check.eq(type(msg), "userdata")
  check.eq(msg:payload():data().n, 2)
end

function M.a_second_listen_may_switch_to_messages()
  local me, ch = process.pid(), process.listen("t")
  process.send(me, "t", 1)
  check.eq(check.soon(ch), 1)
  check.yes(process.listen("t", { message = true }) == ch)
  process.send(me, "t", 2)
  check.eq(check.soon(ch):payload():data(), 2)
end

function M.a_listener_comes_before_the_inbox()
  local me, inbox, ch = process.pid(), process.inbox(), process.listen("mine")
  process.send(me, "mine", 1)
  process.send(me, "other", 2)
  local msg = check.soon(inbox)
  check.eq(msg:topic(), "other", "the inbox gets what nobody listens to, with its topic")
  check.eq(check.soon(ch), 1)
  check.nothing(inbox, "a second message on the inbox")
end

function M.messages_wait_until_somebody_opens_a_channel()
  local me = process.pid()
  process.send(me, "a", 1)
  process.send(me, "b", 2)
  process.send(me, "a", 3)
  check.eq(check.soon(process.listen("b")), 2)
  local inbox = process.inbox()
  check.eq(check.soon(inbox):payload():data(), 1)
  check.eq(check.soon(inbox):payload():data(), 3)
end

function M.a_listener_after_the_inbox_gets_early_messages()
  local me, inbox = process.pid(), process.inbox()
  process.send(me, "late", 1)
  local ch = process.listen("late")
  check.eq(check.soon(ch), 1)
  check.nothing(inbox)
end

function M.a_full_topic_does_not_block_the_others()
  local me, slow = process.pid(), process.listen("slow")
  for i = 1, 50 do process.send(me, "slow", i) end
  process.send(me, "quick", "q")
  check.eq(check.soon(process.listen("quick")), "q")
  for i = 1, 50 do check.eq(check.soon(slow), i) end
end

function M.events_and_messages_do_not_mix()
  local me, inbox, events = process.pid(), process.inbox(), process.events()
  process.cancel(me, "why")
  process.send(me, "pid.cancel", "a message")
  check.eq(check.soon(events).reason, "why")
  check.eq(check.soon(inbox):payload():data(), "a message")
  check.nothing(events)
  check.nothing(inbox)
end

function M.events_before_the_first_call_are_kept()
  process.cancel(process.pid(), "early")
  check.eq(check.soon(process.events()).reason, "early")
end

function M.unlisten_ends_a_subscription()
  local me, ch = process.pid(), process.listen("t")
  process.send(me, "t", 1)
  check.eq(process.unlisten(ch), true)
  local value, ok = ch:receive()
  check.eq(value, nil)
  check.eq(ok, false, "closed")
  local again = process.listen("t")
  check.yes(again ~= ch, "a new channel")
  check.eq(check.soon(again), 1, "what was not received is routed anew")
  process.send(me, "t", 2)
  check.eq(check.soon(again), 2)
end

function M.unlisten_hands_the_topic_to_the_inbox()
  local me, ch, inbox = process.pid(), process.listen("t"), process.inbox()
  process.unlisten(ch)
  check.eq(process.send(me, "t", 1), true, "no error for the sender")
  check.eq(check.soon(inbox):topic(), "t")
end

function M.unlisten_of_something_else()
  local value, err = process.unlisten(channel.new())
  check.eq(value, false)
  check.yes(err)
  local ch = process.listen("t")
  process.unlisten(ch)
  value, err = process.unlisten(ch)
  check.eq(value, false, "a second time")
  check.yes(err)
  check.raises("channel expected", process.unlisten, "t")
  check.eq(process.unlisten(process.inbox()), true)
  check.eq(process.unlisten(process.events()), true)
end

function M.subscribe_attaches_a_channel_of_ones_own()
  local me, mine = process.pid(), channel.new(1)
  process.send(me, "t", "early")
  check.yes(subscribe("t", mine))
  process.send(me, "t", "a", "b")
  process.send(me, "t", { n = 1 })
  check.eq(check.soon(mine), "early")
  local several = check.soon(mine)
  check.eq(several[1], "a")
  check.eq(several[2], "b")
  check.eq(check.soon(mine).n, 1)
  check.eq(unsubscribe(mine), true)
  check.eq(unsubscribe(mine), false)
end

function M.subscribe_errors()
  check.yes(subscribe("t", channel.new(1)))
  check.fails("AlreadyExists", 'topic "t" already subscribed', subscribe("t", channel.new(1)))
  check.fails("Invalid", "@ topics", subscribe("@t", channel.new(1)))
  check.raises("channel expected", unsubscribe, 5)
end

function M.message_methods()
  local me, inbox = process.pid(), process.inbox()
  process.send(me, "none")
  local none = check.soon(inbox)
  check.eq(none:payload(), nil)
  check.eq(tostring(none), "process.Message{topic=none}")
  process.send(me, "one", { a = { b = 1 } })
  local one = check.soon(inbox)
  check.eq(one:payload():get_format(), payload.format.LUA)
  check.eq(one:payload():data().a.b, 1)
  process.send(me, "many", 1, "two")
  local many = check.soon(inbox):payload()
  check.eq(#many, 2)
  check.eq(many[2]:data(), "two")
end

function M.several_coroutines_share_the_inbox()
  local me, inbox, got = process.pid(), process.inbox(), channel.new(10)
  for w = 1, 3 do
    coroutine.spawn(function() got:send(inbox:receive():payload():data()) end)
  end
  local sum = 0
  for i = 1, 3 do process.send(me, "n", i) end
  for i = 1, 3 do sum = sum + check.soon(got) end
  check.eq(sum, 6)
end

return M
