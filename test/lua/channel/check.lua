-- Assertions that say what was found.
local M = {}

local function show(v)
  if type(v) == "string" then return string.format("%q", v) end
  return tostring(v)
end

function M.eq(found, wanted, what)
  if found ~= wanted then error((what or "value") .. ": found " .. show(found) .. ", wanted " .. show(wanted), 2) end
end

function M.yes(value, what)
  if not value then error((what or "value") .. ": found " .. show(value), 2) end
end

function M.has(text, part, what)
  if not tostring(text):find(part, 1, true) then
    error((what or "text") .. ": " .. show(tostring(text)) .. " does not hold " .. show(part), 2)
  end
end

--- `nil, err` (or `false, err`) of this kind, with this text in it.
function M.fails(kind, part, value, err)
  if value then error("it gave " .. show(value) .. " instead of an error", 2) end
  if type(err) ~= "userdata" then error("the error is " .. show(err), 2) end
  if kind and err:kind() ~= kind then error("kind " .. show(err:kind()) .. ", wanted " .. show(kind) .. ": " .. tostring(err), 2) end
  if part then M.has(err, part, "error") end
end

function M.raises(part, f, ...)
  local ok, err = pcall(f, ...)
  if ok then error("it did not raise", 2) end
  if part then M.has(err, part, "raised") end
end

--- Receives one value within five seconds: value, ok.
function M.soon(from, what)
  local timeout = time.after("5s")
  local r = channel.select({ from:case_receive(), timeout:case_receive() })
  if r.channel == timeout then error((what or "value") .. " did not come", 2) end
  return r.value, r.ok
end

--- Nothing comes within a tenth of a second.
function M.nothing(from, what)
  local timeout = time.after("100ms")
  local r = channel.select({ from:case_receive(), timeout:case_receive() })
  if r.channel ~= timeout then error((what or "something") .. " came: " .. show(r.value), 2) end
end

return M
