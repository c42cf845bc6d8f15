-- lua/security.md, section 3.
local check = require("check")
local security = require("security")

local function patterns()
  local ann = security.new_actor("ann")
  local dotted, reader, all = security.policy("sec:dotted"), security.policy("sec:reader"), security.policy("sec:all")
  local function says(policy, action, resource, wanted)
    check.equal(policy:evaluate(ann, action, resource), wanted, action .. " on " .. resource)
  end
  says(all, "anything", "", "allow")
  says(reader, "read", "doc:", "allow")
  says(reader, "read", "doc:a/b", "allow")
  says(reader, "read", "doc", "undefined")
  says(reader, "list", "doc:1", "allow")
  says(reader, "lists", "doc:1", "undefined")
  says(dotted, "file.read", "a", "allow")
  says(dotted, "file", "a", "allow")
  says(dotted, "files", "a", "undefined")
  says(dotted, "file.read.all", "b", "allow")
  says(dotted, "file.read", "b.c", "allow")
  says(dotted, "file.read", "bc", "undefined")
  says(dotted, "file.read", "a.b", "undefined")
end

-- { action, values that hold, values that do not }
local cases = {
  { "eq", { 5, 5.0 }, { 6, "5", true } },
  { "ne", { "b", 5, true }, { "a" } },
  { "lt", { 4, 4.9, -1 }, { 5, 6, "4" } },
  { "gt", { 6, 5.6 }, { 5, 5.5, "6" } },
  { "lte", { 5, 4 }, { 5.1, "a" } },
  { "gte", { "b", "c", "ba" }, { "a", 5 } },
  { "in", { "a", 2 }, { "b", "2", 3 } },
  { "nin", { "b", "2", 3 }, { "a", 2 } },
  { "exists", { "x", 0, false, {} }, {} },
  { "exists_false", {}, { "x", false } },
  { "nexists", {}, { "x", false } },
  { "nexists_false", { "x", false }, {} },
  { "contains", { "abc", { "a", "b" } }, { "ac", { "a" }, { "ab" }, 5 } },
  { "ncontains", { "ac", { "a" } }, { "abc", { "a", "b" } } },
  { "matches", { "ab12c", "b0" }, { "b", "ab" } },
  { "nmatches", { "b", "ab" }, { "ab12c" } },
}

local function operators()
  local ann, scope = security.new_actor("ann"), assert(security.named_scope("sec:ops"))
  for _, case in ipairs(cases) do
    local action = case[1]
    for i, value in ipairs(case[2]) do
      check.equal(scope:evaluate(ann, action, "x", { v = value }), "allow", action .. ", value " .. i)
    end
    for i, value in ipairs(case[3]) do
      check.equal(scope:evaluate(ann, action, "x", { v = value }), "undefined", action .. ", other value " .. i)
    end
  end
end

local function missing_fields()
  local ann, scope = security.new_actor("ann"), assert(security.named_scope("sec:ops"))
  for _, case in ipairs(cases) do
    local action = case[1]
    local wanted = (action == "exists_false" or action == "nexists") and "allow" or "undefined"
    check.equal(scope:evaluate(ann, action, "x", { other = 1 }), wanted, action .. " of a missing field")
    check.equal(scope:evaluate(ann, action, "x"), wanted, action .. " without meta")
  end
end

local function paths()
  local scope = assert(security.named_scope("sec:paths"))
  local ann = security.new_actor("ann", { team = { name = "blue" }, level = 3 })
  local bob = security.new_actor("bob", { team = { name = "red" } })
  local function says(actor, action, resource, meta, wanted)
    check.equal(scope:evaluate(actor, action, resource, meta), wanted, actor:id() .. " " .. action .. " " .. resource)
  end
  says(ann, "actor", "x", nil, "allow")
  says(bob, "actor", "x", nil, "undefined")
  says(ann, "deep", "x", nil, "allow")
  says(bob, "deep", "x", nil, "undefined")
  says(security.new_actor("eve", { team = "blue" }), "deep", "x", nil, "undefined")
  says(ann, "act.one", "x", nil, "allow")
  says(ann, "act.two", "x", nil, "undefined")
  says(ann, "own", "ann", nil, "allow")
  says(ann, "own", "bob", nil, "undefined")
  says(ann, "from", "x", { owner = { id = "ann" }, level = 3 }, "allow")
  says(ann, "from", "x", { owner = { id = "ann" }, level = 4 }, "undefined")
  says(ann, "from", "x", { owner = { id = "bob" }, level = 1 }, "undefined")
  says(bob, "from", "x", { owner = { id = "bob" }, level = 1 }, "undefined") -- bob has no level to compare with
end

return { patterns = patterns, operators = operators, missing_fields = missing_fields, paths = paths }
