-- Assertions; each error stands at the line of the test.
local check = {}

function check.equal(found, wanted, what)
  if found ~= wanted then
    error((what or "value") .. ": " .. tostring(found) .. " instead of " .. tostring(wanted), 2)
  end
end

-- `nil, err` with an error value of this kind that is never worth a retry, or as `retryable` says.
function check.fault(kind, message, value, err, retryable)
  if value ~= nil then error("a value instead of an error: " .. tostring(value), 2) end
  if err == nil then error("no error instead of " .. kind, 2) end
  if err:kind() ~= kind then error("kind " .. err:kind() .. ": " .. err:message(), 2) end
  if message ~= nil and err:message() ~= message then error("message: " .. err:message(), 2) end
  if err:retryable() ~= (retryable or false) then error("retryable: " .. tostring(err:retryable()), 2) end
end

function check.raises(fn, ...)
  local ok = pcall(fn, ...)
  if ok then error("did not raise", 2) end
end

-- What a handler wrote down under this name.
function check.noted(name)
  local notes = assert(store.get("queue.tests:notes"))
  for _ = 1, 1500 do
    local value = notes:get(name)
    if value ~= nil then return value end
    time.sleep("10ms")
  end
  error("not noted in time: " .. name, 2)
end

function check.poll(what, holds)
  for _ = 1, 1500 do
    if holds() then return end
    time.sleep("10ms")
  end
  error("not in time: " .. what, 2)
end

-- To the queue whose handler does what the message says.
function check.job(act, name, more, headers, options)
  local body = { act = act, name = name }
  for key, value in pairs(more or {}) do body[key] = value end
  return assert(queue.publish("queue.tests:jobs", body, headers, options))
end

return check
