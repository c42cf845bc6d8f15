-- Assertions that say what was found.
local M = {}

function M.eq(found, wanted, what)
  if found ~= wanted then
    error((what or "value") .. ": found " .. tostring(found) .. ", wanted " .. tostring(wanted), 2)
  end
end

--- `nil, err` of this kind with this message.
function M.fails(kind, message, value, err)
  if value ~= nil then error("it gave " .. tostring(value) .. " instead of an error", 2) end
  M.eq(type(err), "userdata", "the error")
  M.eq(err:kind(), kind, "kind")
  M.eq(err:message(), message, "message")
end

function M.raises(part, f, ...)
  local ok, err = pcall(f, ...)
  if ok then error("it did not raise", 2) end
  if not tostring(err):find(part, 1, true) then error(tostring(err) .. " does not hold " .. part, 2) end
end

return M
