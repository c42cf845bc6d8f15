-- Assertions; each error stands at the line of the test.
local check = {}

function check.equal(found, wanted, what)
  if found ~= wanted then
    error((what or "value") .. ": " .. tostring(found) .. " instead of " .. tostring(wanted), 2)
  end
end

-- `value, nil`: the value.
function check.value(value, err)
  if err ~= nil then error("error " .. err:kind() .. ": " .. err:message(), 2) end
  if value == nil then error("no value", 2) end
  return value
end

-- `nil, err` with an error value of this kind that is never worth a retry.
function check.fault(kind, message, value, err)
  if value ~= nil then error("a value instead of an error: " .. tostring(value), 2) end
  if err == nil then error("no error instead of " .. kind, 2) end
  if err:kind() ~= kind then error("kind " .. err:kind() .. ": " .. err:message(), 2) end
  if message ~= nil and err:message() ~= message then error("message: " .. err:message(), 2) end
  if err:retryable() ~= false then error("retryable: " .. tostring(err:retryable()), 2) end
end

function check.raises(text, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then error("did not raise: " .. text, 2) end
  if not string.find(tostring(err), text, 1, true) then error("raised " .. tostring(err), 2) end
end

function check.number(value, least, what)
  if type(value) ~= "number" then error((what or "value") .. ": a " .. type(value) .. " instead of a number", 2) end
  if value < least then error((what or "value") .. ": " .. value .. " is below " .. least, 2) end
  if value ~= math.floor(value) then error((what or "value") .. ": " .. value .. " is not whole", 2) end
end

function check.text(value, what)
  if type(value) ~= "string" or value == "" then error((what or "value") .. ": no text: " .. tostring(value), 2) end
end

return check
