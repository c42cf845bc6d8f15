local check = require("check")

local function gives_true()
  local ok, err = queue.publish("queue.tests:idle", { n = 1 })
  check.equal(ok, true)
  check.equal(err, nil)
end

local function id_is_required()
  check.fault("Invalid", "queue ID required", queue.publish())
  check.fault("Invalid", "queue ID required", queue.publish(nil, "x"))
  check.fault("Invalid", "queue ID required", queue.publish("", "x"))
  check.raises(queue.publish, {}, "x")
  check.raises(queue.publish, true, "x")
end

local function data_is_required()
  check.fault("Invalid", "message data required", queue.publish("queue.tests:idle"))
  check.fault("Invalid", "message data cannot be empty", queue.publish("queue.tests:idle", {}))
  check.fault("Invalid", "message data cannot be empty", queue.publish("any:thing", {}))
end

local function unknown_queue()
  local ok, err = queue.publish("unknown:queue", "x")
  check.equal(ok, nil)
  check.equal(err:kind(), "Internal")
end

local function what_cannot_be_encoded()
  local cycle = {}
  cycle.self = cycle
  local ok, err = queue.publish("queue.tests:idle", cycle)
  check.equal(ok, nil)
  check.equal(err:kind(), "Internal")
end

local function bodies_arrive_as_they_were()
  local values = { "text", "ä€😀\n\"", 7, -1.5, true, 2 ^ 53 - 1 }
  for i, value in ipairs(values) do
    local name = "body:" .. i
    check.job("body", name, { value = value })
    check.equal(check.noted(name).value, value, name)
  end
  check.equal(check.noted("body:3").math, "integer")
  check.equal(check.noted("body:4").math, "float")
  check.job("body", "body:list", { value = { 1, 2, { x = { "y" } } } })
  local list = check.noted("body:list")
  check.equal(list.length, 3)
  check.equal(list.value[3].x[1], "y")
end

local function a_body_need_not_be_a_table()
  for _, value in ipairs({ "text", 12, false }) do
    assert(queue.publish("queue.tests:any", value))
    check.poll("the value", function()
      local noted = assert(store.get("queue.tests:notes")):get("any")
      return noted ~= nil and noted.value == value and noted.type == type(value)
    end)
  end
end

local function headers_are_verbatim()
  local headers = {
    string = "ä", number = 42, float = 1.5, boolean = false, correlation_id = "c", priority = 3, reply_to = "r",
    partition_key = "p", content_type = "t", ["amqp.delivery_mode"] = 2, ["sqs.group"] = "g", Mixed_Case = "M",
    table = { 1 }, [5] = "no name",
  }
  check.job("message", "headers", nil, headers)
  local seen = check.noted("headers").headers
  for _, name in ipairs({ "string", "number", "float", "boolean", "correlation_id", "priority", "reply_to", "partition_key", "content_type", "amqp.delivery_mode", "sqs.group", "Mixed_Case" }) do
    check.equal(seen[name], headers[name], name)
  end
  check.equal(seen.table, nil)
  check.equal(seen["5"], nil)
end

local function other_headers_are_ignored()
  for i, headers in ipairs({ "text", 5, true }) do
    local name = "ignored:" .. i
    check.job("message", name, nil, headers)
    check.equal(check.noted(name).attempt, 1)
  end
end

local function platform_headers()
  local before = os.time()
  check.job("message", "platform", nil, { x_attempt = 9, x_dead_letter_queue = "mine", timestamp = 1 })
  local m = check.noted("platform")
  check.equal(m.headers.x_attempt, nil)
  check.equal(m.headers.x_dead_letter_queue, nil)
  assert(m.timestamp >= before - 1 and m.timestamp <= os.time() + 1, tostring(m.timestamp))
  check.equal(math.type(m.timestamp), "integer")
  for name in pairs(m.headers) do check.equal(name, "timestamp") end
end

local function delay_and_deliver_at()
  local start = time.now():unix_nano() / 1e6
  check.job("until_attempt", "delay", { attempts = 1 }, nil, { delay = "300ms" })
  check.job("until_attempt", "deliver_at", { attempts = 1 }, nil, { deliver_at = os.time() + 2 })
  check.job("until_attempt", "past", { attempts = 1 }, nil, { deliver_at = 1 })
  assert(check.noted("past:1").at >= start)
  assert(check.noted("delay:1").at - start >= 299, "not before the delay")
  assert(check.noted("deliver_at:1").at - start >= 900, "not before its second")
  check.fault("Invalid", nil, queue.publish("queue.tests:idle", 1, nil, { delay = "soon" }))
  check.fault("Invalid", nil, queue.publish("queue.tests:idle", 1, nil, { deliver_at = "noon" }))
end

local function idempotency_key()
  local before = queue.info("queue.tests:keys").message_count
  for _ = 1, 3 do check.equal(queue.publish("queue.tests:keys", 1, nil, { idempotency_key = "k" }), true) end
  check.equal(queue.publish("queue.tests:keys", 1, nil, { idempotency_key = "other" }), true)
  check.equal(queue.info("queue.tests:keys").message_count - before, 2)
  check.fault("Invalid", nil, queue.publish("queue.tests:keys", 1, nil, { idempotency_key = 5 }))
end

local function waits_for_space()
  check.equal(queue.publish("queue.tests:small", 1), true)
  check.equal(queue.publish("queue.tests:small", 2), true)
  local done = channel.new(1)
  coroutine.spawn(function()
    queue.publish("queue.tests:small", 3)
    done:send(true)
  end)
  local result = channel.select({ done:case_receive(), time.after("200ms"):case_receive() })
  assert(result.channel ~= done, "it waits")
  check.equal(queue.info("queue.tests:small").message_count, 2)
end

local function works_in_coroutines()
  local done = channel.new(2)
  for i = 1, 2 do
    coroutine.spawn(function() done:send(queue.publish("queue.tests:idle", i)) end)
  end
  check.equal(done:receive(), true)
  check.equal(done:receive(), true)
end

return {
  gives_true = gives_true, id_is_required = id_is_required, data_is_required = data_is_required, unknown_queue = unknown_queue,
  what_cannot_be_encoded = what_cannot_be_encoded, bodies_arrive_as_they_were = bodies_arrive_as_they_were,
  a_body_need_not_be_a_table = a_body_need_not_be_a_table, headers_are_verbatim = headers_are_verbatim,
  other_headers_are_ignored = other_headers_are_ignored, platform_headers = platform_headers,
  delay_and_deliver_at = delay_and_deliver_at, idempotency_key = idempotency_key, waits_for_space = waits_for_space,
  works_in_coroutines = works_in_coroutines,
}
