local check = require("check")

local function scalars_keep_their_type()
  local s = check.store()
  local values = { "", "text", "ä€😀", 0, 12345, -7, 1.5, 2 ^ 53 - 1, true, false }
  for i, value in ipairs(values) do
    check.equal(s:set("scalar", value), true)
    check.equal(s:get("scalar"), value, tostring(i))
  end
  s:set("scalar", 12345)
  check.equal(math.type(s:get("scalar")), "integer")
  s:set("scalar", 1.5)
  check.equal(math.type(s:get("scalar")), "float")
end

local function tables()
  local s = check.store()
  s:set("tables", { list = { 1, 2, { x = "y" } }, empty = {}, deep = { a = { b = { c = true } } } })
  local v = s:get("tables")
  check.equal(#v.list, 3)
  check.equal(v.list[3].x, "y")
  check.equal(next(v.empty), nil)
  check.equal(v.deep.a.b.c, true)
end

local function reads_are_copies()
  local s = check.store()
  local given = { n = 1, inner = { 1 } }
  s:set("copies", given)
  given.n = 2
  given.inner[1] = 2
  local read = s:get("copies")
  check.equal(read.n, 1)
  check.equal(read.inner[1], 1)
  read.n = 3
  check.equal(s:get("copies").n, 1)
  check.equal(s:entry("copies").value.n, 1)
end

local function a_set_overwrites()
  local s = check.store()
  s:set("over", 1)
  s:set("over", { 2 })
  check.equal(s:get("over")[1], 2)
end

local function others_see_it_at_once()
  local s = check.store()
  s:set("shared", "from the caller")
  check.equal(funcs.call("store.tests:read", "shared"), "from the caller")
  check.equal(funcs.call("store.tests:write", "shared", "from the called"), true)
  check.equal(s:get("shared"), "from the called")
end

local function stores_are_separate()
  local s = check.store()
  s:set("separate", 1)
  check.equal(assert(store.get("store.tests:other")):has("separate"), false)
end

local function a_plain_key_has_two_forms()
  local s = check.store()
  s:set("plainkey", 1)
  check.equal(s:get(":plainkey"), 1)
  check.equal(s:entry("plainkey").key, ":plainkey")
  s:set("a:b:c", 2)
  check.equal(s:entry("a:b:c").key, "a:b:c")
  s:set("odd * [key]? \\ ä", 3)
  check.equal(s:get("odd * [key]? \\ ä"), 3)
end

local function ttl_expires()
  local s = check.store()
  s:set("ttl:short", 1, 0.15)
  check.equal(s:get("ttl:short"), 1)
  check.poll("the expiry", function() return not s:has("ttl:short") end)
  check.fault("NotFound", "key not found", s:get("ttl:short"))
  check.fault("NotFound", "key not found", s:entry("ttl:short"))
  check.equal(s:delete("ttl:short"), false)
  check.equal(#s:list({ prefix = "ttl:" }).items, 0)
end

local function no_ttl()
  local s = check.store()
  s:set("nottl:nil", 1, nil)
  s:set("nottl:zero", 1, 0)
  s:set("nottl:negative", 1, -5)
  s:set("nottl:nan", 1, 0 / 0)
  for _, ttl in ipairs({ 1e11, 1e30, math.huge }) do
    check.equal(s:set("nottl:long", tostring(ttl), ttl), true, "ttl " .. ttl)
    check.equal(s:get("nottl:long"), tostring(ttl))
  end
  s:set("nottl:removed", 1, 0.1)
  s:set("nottl:removed", 2)
  s:set("nottl:gone", 1, 0.1)
  check.poll("the expiry", function() return not s:has("nottl:gone") end)
  for _, name in ipairs({ "nil", "zero", "negative", "nan", "long", "removed" }) do check.equal(s:has("nottl:" .. name), true, name) end
  check.equal(s:get("nottl:removed"), 2)
end

-- As they were, or not at all: never as something else.
local function numbers_without_end()
  local s = check.store()
  for _, value in ipairs({ math.huge, -math.huge, 0 / 0, { { math.huge } } }) do
    s:set("endless", "before")
    local ok, err = s:set("endless", value)
    if err ~= nil then
      check.fault("Invalid", nil, ok, err)
      check.equal(s:get("endless"), "before")
    else
      local read = s:get("endless")
      if type(value) == "table" then read, value = read[1][1], value[1][1] end
      check.equal(tostring(read), tostring(value))
    end
  end
end

local function cycles_are_refused()
  local s = check.store()
  local cycle = {}
  cycle.self = cycle
  local ok, err = s:set("cycle", cycle)
  check.fault("Internal", nil, ok, err)
  check.equal(s:has("cycle"), false)
end

return {
  scalars_keep_their_type = scalars_keep_their_type, tables = tables, reads_are_copies = reads_are_copies,
  a_set_overwrites = a_set_overwrites, others_see_it_at_once = others_see_it_at_once, stores_are_separate = stores_are_separate,
  a_plain_key_has_two_forms = a_plain_key_has_two_forms, ttl_expires = ttl_expires, no_ttl = no_ttl,
  cycles_are_refused = cycles_are_refused, numbers_without_end = numbers_without_end,
}
