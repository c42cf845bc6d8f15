-- The handler of `jobs`: each message says what it does with it.
local acts = {}
local kept

local function note(name, value)
  assert(assert(store.get("queue.tests:notes")):set(name, value))
end
local function fault(value, err)
  return { value = value, kind = err and err:kind(), message = err and err:message(), retryable = err and err:retryable() }
end

function acts.body(job)
  note(job.name, { value = job.value, kind = type(job.value), math = math.type(job.value), length = type(job.value) == "table" and #job.value or nil })
end

function acts.message(job)
  local m, err = queue.message()
  local all, all_err = m:headers()
  local none, none_err = m:header("not there")
  note(job.name, {
    no_error = err == nil and all_err == nil and none == nil and none_err == nil,
    kind = type(m),
    text = tostring(m) == "queue.Message{id=" .. m:id() .. "}",
    id = m:id(),
    attempt = m:attempt(),
    headers = all,
    string = m:header("string"),
    number = m:header("number"),
    float = m:header("float"),
    boolean = m:header("boolean"),
    timestamp = m:header("timestamp"),
    called = funcs.call("queue.tests:called"),
    spawned = funcs.async("queue.tests:called"):response():receive():data(),
  })
end

function acts.settle_twice(job)
  local m = queue.message()
  local other = queue.message()
  local ok, err = m:ack()
  note(job.name, {
    ok = ok, no_error = err == nil,
    ack = fault(other:ack()), nack = fault(m:nack()), called = fault(funcs.call("queue.tests:settle")),
  })
  error("after the ack: nothing more is settled")
end

function acts.settled_by_a_called_function(job)
  note(job.name, { called = funcs.call("queue.tests:settle"), own = fault(queue.message():ack()) })
end

function acts.keep(job)
  kept = queue.message()
  note(job.name, { id = kept:id() })
end
function acts.released(job)
  note(job.name, {
    text = tostring(kept), id = fault(kept:id()), header = fault(kept:header("x")), headers = fault(kept:headers()),
    ack = fault(kept:ack()), nack = fault(kept:nack()),
  })
end

-- Fails in its way until the attempt that it is told.
function acts.until_attempt(job)
  local m = queue.message()
  local attempt = m:attempt()
  note(job.name .. ":" .. attempt, { id = m:id(), x_attempt = m:header("x_attempt"), mine = m:header("mine"), at = time.now():unix_nano() / 1e6 })
  if attempt >= job.attempts then return end
  if job.how == "raise" then error("raised") end
  if job.how == "string" then return nil, "a text" end
  if job.how == "error" then return nil, errors.new("an error") end
  if job.how == "nack" then m:nack() end
  if job.how == "delayed" then m:nack({ delay = "300ms" }) end
end

function acts.returns(job)
  note(job.name .. ":" .. queue.message():attempt(), true)
  if job.value == "false" then return false end
  if job.value == "nil" then return nil end
  if job.value == "number" then return nil, 5 end
  return "anything"
end

function acts.overlap(job)
  local notes = assert(store.get("queue.tests:notes"))
  notes:set(job.name, true)
  while not notes:has(job.peer) do time.sleep("5ms") end
  notes:set(job.name .. ":done", true)
end

local function main(job)
  return acts[job.act](job)
end
local function called()
  local m, err = queue.message()
  return m and m:id() or err:message()
end
local function settle()
  return queue.message():ack()
end
local function always_fails(job)
  note(job.name .. ":" .. queue.message():attempt(), true)
  error("reason of " .. job.name)
end
local function bury(job)
  local headers = queue.message():headers()
  headers.id = queue.message():id()
  note("dead:" .. job.name, headers)
end
local function any(value)
  note("any", { value = value, type = type(value) })
end

return { main = main, called = called, settle = settle, always_fails = always_fails, bury = bury, any = any }
