-- Assertions; each error stands at the line of the test.
local check = {}

function check.equal(found, wanted, what)
  if found ~= wanted then
    error((what or "value") .. ": " .. tostring(found) .. " instead of " .. tostring(wanted), 2)
  end
end

-- `value, err` with an error value of this kind that is never worth a retry, or as `retryable` says.
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

function check.poll(what, holds)
  for _ = 1, 1000 do
    if holds() then return end
    time.sleep("10ms")
  end
  error("not in time: " .. what, 2)
end

-- A store with nothing in it: keys of one test begin with its name.
function check.store()
  return assert(store.get("store.tests:subject"))
end

-- Whether the store under test is without versions and conditions: `store.sql`, by its name and not by what it says of itself.
function check.is_unversioned(s)
  return s:info().backend == store.backend.SQL
end

return check
