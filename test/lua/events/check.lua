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

function check.raises(text, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then error("did not raise: " .. text, 2) end
  if not string.find(tostring(err), text, 1, true) then error("raised " .. tostring(err), 2) end
end

-- What waits in a channel now, in order.
function check.waiting(ch)
  local found = {}
  while true do
    local r = channel.select({ ch:case_receive(), default = true })
    if r.default or not r.ok then return found end
    found[#found + 1] = r.value
  end
end

-- The paths of what waits, as one text.
function check.paths(ch)
  local paths = {}
  for i, event in ipairs(check.waiting(ch)) do paths[i] = event.path end
  return table.concat(paths, " ")
end

return check
