-- Assertions, and the way to the database; each error stands at the line of the test.
local sql = require("sql")
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

function check.sql(text, params)
  local db = assert(sql.get("cdc.lite:shop"))
  local _, err = db:execute(text, params)
  if err then error(err, 2) end
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
