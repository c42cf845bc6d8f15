-- Assertions, and the way to the database; each error stands at the line of the test.
local http_client = require("http_client")
local env = require("env")
local time = require("time")
local check = {}

function check.equal(found, wanted, what)
  if found ~= wanted then
    error((what or "value") .. ": " .. tostring(found) .. " instead of " .. tostring(wanted), 2)
  end
end

function check.ok(found, what)
  if not found then error(what or "not true", 2) end
end

-- `nil, err` with an error value of this kind, never worth a retry unless `retryable` says so.
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

-- Runs SQL beside the program.
function check.sql(text)
  local response, err = http_client.post(env.get("CDC_SQL"), { body = text })
  if err then error(err, 2) end
  if response.status_code ~= 200 then error(response.body, 2) end
end

-- The next value of a channel, and whether it was one; an error after ten seconds.
function check.next(ch)
  local timeout = time.after("10s")
  local r = channel.select({ ch:case_receive(), timeout:case_receive() })
  if r.channel == timeout then error("nothing came", 2) end
  return r.value, r.ok
end

-- The next `count` changes as texts: `insert 1 name`.
function check.changes(ch, count)
  local found = {}
  for i = 1, count do
    local change = check.next(ch)
    local row = change.after or change.before or {}
    found[i] = change.op .. " " .. tostring(row.id or row.a) .. (row.name and " " .. row.name or "")
  end
  return table.concat(found, ", ")
end

return check
