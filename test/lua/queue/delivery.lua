local check = require("check")

-- A handler that fails so is called again, with the same id and its own headers.
local function again(how)
  local name = "again:" .. how
  check.job("until_attempt", name, { how = how, attempts = 2 }, { mine = "kept" })
  local first, second = check.noted(name .. ":1"), check.noted(name .. ":2")
  check.equal(first.x_attempt, nil)
  check.equal(second.x_attempt, 2)
  check.equal(second.id, first.id)
  check.equal(second.mine, "kept")
  return second.at - first.at
end

local function a_raise_nacks() again("raise") end
local function a_second_text_nacks() again("string") end
local function a_second_error_nacks() again("error") end
local function nack_by_hand() again("nack") end
local function nack_with_a_delay() assert(again("delayed") >= 299, "not before its time") end

-- Of these, a later message is handled and this one was not handled twice.
local function acked(value)
  local name = "acked:" .. value
  check.job("returns", name, { value = value })
  check.noted(name .. ":1")
  check.poll("nothing waits", function() return queue.info("queue.tests:jobs").message_count == 0 end)
  time.sleep("50ms")
  check.equal(assert(store.get("queue.tests:notes")):has(name .. ":2"), false)
end
local function any_value_acks() acked("anything") end
local function false_acks() acked("false") end
local function nil_acks() acked("nil") end
local function another_second_result_acks() acked("number") end

local function handlers_overlap()
  check.job("overlap", "left", { peer = "right" })
  check.job("overlap", "right", { peer = "left" })
  check.noted("left:done")
  check.noted("right:done")
end

local function dead_letters()
  assert(queue.publish("queue.tests:failing", { name = "doomed" }, { mine = 1 }))
  local headers = check.noted("dead:doomed")
  check.equal(headers.x_dead_letter_queue, "queue.tests:failing")
  check.equal(headers.x_dead_letter_kind, "Internal")
  check.equal(headers.x_dead_letter_attempts, 2)
  assert(string.find(headers.x_dead_letter_reason, "reason of doomed", 1, true), headers.x_dead_letter_reason)
  check.equal(headers.mine, 1)
  check.equal(headers.x_attempt, nil)
  check.noted("doomed:1")
  check.noted("doomed:2")
  check.equal(assert(store.get("queue.tests:notes")):has("doomed:3"), false)
end

local function auto_ack()
  assert(queue.publish("queue.tests:auto", { name = "auto" }))
  check.noted("auto:1")
  check.poll("nothing waits", function() return queue.info("queue.tests:auto").message_count == 0 end)
  time.sleep("50ms")
  check.equal(assert(store.get("queue.tests:notes")):has("auto:2"), false)
end

return {
  a_raise_nacks = a_raise_nacks, a_second_text_nacks = a_second_text_nacks, a_second_error_nacks = a_second_error_nacks,
  nack_by_hand = nack_by_hand, nack_with_a_delay = nack_with_a_delay, any_value_acks = any_value_acks,
  false_acks = false_acks, nil_acks = nil_acks, another_second_result_acks = another_second_result_acks,
  handlers_overlap = handlers_overlap, dead_letters = dead_letters, auto_ack = auto_ack,
}
