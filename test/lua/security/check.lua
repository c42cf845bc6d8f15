-- What the tests say of values. Each raises with a text that says what was found.
local check = {}

function check.equal(found, wanted, what)
  if found ~= wanted then
    error(string.format("%s: expected %s, got %s", what, tostring(wanted), tostring(found)), 2)
  end
end

function check.ok(value, what)
  if not value then error(what, 2) end
end

-- `value, err` of a host function: nothing, and an error of this kind and text.
function check.fails(what, kind, text, value, err)
  if value ~= nil then error(what .. ": expected nil, got " .. tostring(value), 2) end
  if err == nil then error(what .. ": no error", 2) end
  check.equal(err:kind(), kind, what)
  if text ~= nil and not string.find(err:message(), text, 1, true) then
    error(what .. ": expected '" .. text .. "' in '" .. err:message() .. "'", 2)
  end
  check.equal(err:retryable(), false, what .. ", retryable")
end

function check.raises(what, text, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then error(what .. ": does not raise", 2) end
  if not string.find(tostring(err), text, 1, true) then
    error(what .. ": expected '" .. text .. "' in '" .. tostring(err) .. "'", 2)
  end
end

return check
