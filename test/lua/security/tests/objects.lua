-- lua/security.md, section 2: the objects.
local check = require("check")
local security = require("security")

local ann = function() return security.new_actor("ann") end
local policy_of = function(id) return (assert(security.policy(id))) end

local function actor()
  local given = { team = "blue", nested = { 1, 2 }, fn = function() end, scope = security.new_scope() }
  local one = security.new_actor("ann", given)
  check.equal(type(one), "userdata", "type")
  check.equal(one:id(), "ann", "id")
  local meta = one:meta()
  check.equal(meta.team, "blue", "meta")
  check.equal(meta.nested[2], 2, "nested meta")
  check.equal(meta.fn, nil, "functions have no meaning elsewhere")
  check.equal(meta.scope, nil, "nor have host objects")
  given.team = "red"
  meta.team = "green"
  check.equal(one:meta().team, "blue", "neither what was given nor what was got changes it")
  check.equal(next(ann():meta() or {}), nil, "no meta")
  check.raises("another receiver", "", one.id, security.new_scope())
end

local function policy()
  local reader, secret = policy_of("sec:reader"), policy_of("sec:no_secret")
  check.equal(type(reader), "userdata", "type")
  check.equal(reader:id(), "sec:reader", "id")
  check.equal(reader:evaluate(ann(), "read", "doc:1"), "allow", "allow")
  check.equal(reader:evaluate(ann(), "write", "doc:1"), "undefined", "another action")
  check.equal(reader:evaluate(ann(), "read", "img:1"), "undefined", "another resource")
  check.equal(secret:evaluate(ann(), "read", "doc:secret"), "deny", "deny")
  check.equal(secret:evaluate(ann(), "read", "doc:1"), "undefined", "denies nothing else")
end

local function scope_evaluation()
  local reader, secret, all = policy_of("sec:reader"), policy_of("sec:no_secret"), policy_of("sec:all")
  local empty = security.new_scope()
  check.equal(empty:evaluate(ann(), "read", "doc:1"), "undefined", "empty")
  local allow = empty:with(reader)
  check.equal(allow:evaluate(ann(), "read", "doc:1"), "allow", "an allow")
  check.equal(allow:evaluate(ann(), "write", "doc:1"), "undefined", "else undefined")
  for _, both in ipairs({ allow:with(secret), empty:with(secret):with(reader):with(all) }) do
    check.equal(both:evaluate(ann(), "read", "doc:secret"), "deny", "a deny wins, in any order")
    check.equal(both:evaluate(ann(), "read", "doc:1"), "allow", "elsewhere the allow")
  end
  local eq = empty:with(policy_of("sec:op_eq"))
  check.equal(eq:evaluate(ann(), "eq", "x", { v = 5 }), "allow", "with meta")
  check.equal(eq:evaluate(ann(), "eq", "x"), "undefined", "without meta")
end

local function scope_building()
  local reader, secret = policy_of("sec:reader"), policy_of("sec:no_secret")
  local empty = security.new_scope()
  local one = empty:with(reader)
  check.equal(#empty:policies(), 0, "the first is what it was")
  check.equal(#one:policies(), 1, "the new one has it")
  check.equal(#one:with(reader):policies(), 1, "twice keeps one")
  local two = one:with(secret)
  check.equal(#two:policies(), 2, "two")
  for _, id in ipairs({ "sec:reader", reader, { ns = "sec", name = "reader" } }) do
    local rest = two:without(id)
    check.equal(#rest:policies(), 1, "one is left")
    check.equal(rest:policies()[1]:id(), "sec:no_secret", "the other")
  end
  check.equal(#two:policies(), 2, "two is what it was")
  check.equal(#two:without("sec:gone"):policies(), 2, "what is not there")
  check.raises("with what is no policy", "security.Policy expected", two.with, two, "sec:reader")
end

local function contains()
  local reader = policy_of("sec:reader")
  local scope = security.new_scope({ reader })
  for _, id in ipairs({ "sec:reader", reader, { ns = "sec", name = "reader" } }) do
    check.equal(scope:contains(id), true, "contains")
  end
  for _, id in ipairs({ "sec:all", policy_of("sec:all"), { ns = "other", name = "reader" }, "" }) do
    check.equal(scope:contains(id), false, "does not contain")
  end
  check.raises("a table without a name", "{ns=, name=} expected", scope.contains, scope, { ns = "sec" })
end

local function arguments()
  local reader, scope = policy_of("sec:reader"), security.new_scope()
  for _, rule in ipairs({ reader, scope }) do
    check.raises("no actor", "security.Actor expected", rule.evaluate, rule, nil, "read", "doc:1")
    check.raises("a text for an actor", "security.Actor expected", rule.evaluate, rule, "ann", "read", "doc:1")
    check.raises("no action", "string expected", rule.evaluate, rule, ann())
    check.raises("no resource", "string expected", rule.evaluate, rule, ann(), "read")
    check.raises("meta that is no table", "table expected", rule.evaluate, rule, ann(), "read", "doc:1", 5)
  end
end

return {
  actor = actor,
  policy = policy,
  scope_evaluation = scope_evaluation,
  scope_building = scope_building,
  contains = contains,
  arguments = arguments,
}
