-- What the tests say of values, and a table of their own for each.
local sql = require("sql")
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
  if kind ~= nil then check.equal(err:kind(), kind, what .. ": " .. err:message()) end
  if text ~= nil and not string.find(err:message(), text, 1, true) then
    error(what .. ": expected '" .. text .. "' in '" .. err:message() .. "'", 2)
  end
  if kind == "Invalid" then check.equal(err:retryable(), false, what .. ", retryable") end
end

function check.raises(what, text, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then error(what .. ": does not raise", 2) end
  if text ~= nil and not string.find(tostring(err), text, 1, true) then
    error(what .. ": expected '" .. text .. "' in '" .. tostring(err) .. "'", 2)
  end
end

-- The database, its kind, and `$n` for `?` where it wants that.
function check.open()
  local db = assert(sql.get("sql:db"))
  local kind = db:type()
  local function q(text)
    if kind ~= "postgres" then return text end
    local n = 0
    return (string.gsub(text, "%?", function() n = n + 1; return "$" .. n end))
  end
  return db, q, kind
end

-- An empty table of this name.
function check.table(db, name, columns)
  assert(db:execute("DROP TABLE IF EXISTS " .. name))
  assert(db:execute("CREATE TABLE " .. name .. " (" .. (columns or "id integer PRIMARY KEY, body text") .. ")"))
end

function check.count(target, name)
  return assert(target:query("SELECT count(*) AS n FROM " .. name))[1].n
end

return check
