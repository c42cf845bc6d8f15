local check = require("check")

local function keys(page)
  local names = {}
  for i, item in ipairs(page.items) do names[i] = item.key end
  return table.concat(names, " ")
end
local function fill(s, prefix)
  for _, name in ipairs({ "3", "1", "5", "2", "4" }) do s:set(prefix .. name, name) end
end

local function ascending_order()
  local s = check.store()
  fill(s, "asc:")
  local page = assert(s:list({ prefix = "asc:" }))
  check.equal(keys(page), "asc:1 asc:2 asc:3 asc:4 asc:5")
  check.equal(page.cursor, "asc:5")
  check.equal(page.has_more, false)
  check.equal(page.items[1].value, "1")
  check.equal(type(page.items[1].version), "string")
end

local function pages()
  local s = check.store()
  fill(s, "pages:")
  local first = s:list({ prefix = "pages:", limit = 2 })
  check.equal(keys(first), "pages:1 pages:2")
  check.equal(first.cursor, "pages:2")
  check.equal(first.has_more, true)
  local second = s:list({ prefix = "pages:", limit = 2, after = first.cursor })
  check.equal(keys(second), "pages:3 pages:4")
  local last = s:list({ prefix = "pages:", limit = 2, after = second.cursor })
  check.equal(keys(last), "pages:5")
  check.equal(last.has_more, false)
end

local function empty()
  local s = check.store()
  local page = assert(s:list({ prefix = "nothing begins so" }))
  check.equal(#page.items, 0)
  check.equal(page.has_more, false)
  check.equal(page.cursor, "")
end

local function reported_form()
  local s = check.store()
  s:set("formed", 1)
  s:set("form:ed", 2)
  check.equal(keys(s:list({ prefix = ":formed" })), ":formed")
  check.equal(keys(s:list({ prefix = "form" })), "form:ed")
end

local function defaults()
  local s = assert(store.get("store.tests:other"))
  for i = 1, 101 do s:set(string.format("d:%03d", i), i) end
  local page = assert(s:list())
  check.equal(#page.items, 100)
  check.equal(page.has_more, true)
  check.equal(#s:list({ limit = 0 }).items, 100)
  check.equal(#s:list({ limit = 5000 }).items, 101)
end

local function faults()
  local s = check.store()
  check.fault("Invalid", "options must be a table", s:list("x"))
  check.fault("Invalid", "prefix must be a string", s:list({ prefix = 1 }))
  check.fault("Invalid", "after must be a string", s:list({ after = {} }))
  for _, limit in ipairs({ -1, 1.5, "x", true }) do
    check.fault("Invalid", "limit must be a non-negative integer", s:list({ limit = limit }))
  end
end

return { ascending_order = ascending_order, pages = pages, empty = empty, reported_form = reported_form, defaults = defaults, faults = faults }
