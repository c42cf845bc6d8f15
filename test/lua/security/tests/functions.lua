-- lua/security.md, section 2: the functions.
local check = require("check")
local security = require("security")
local funcs = require("funcs")

local function always_present()
  for _, name in ipairs({ "actor", "scope", "can", "policy", "named_scope", "new_scope", "new_actor", "token_store" }) do
    check.equal(type(security[name]), "function", name)
  end
end

local function can()
  local docs = assert(security.named_scope("sec:docs"))
  local exec = assert(assert(funcs.new():with_actor(security.new_actor("ann"))):with_scope(docs:with((assert(security.policy("sec:op_eq"))))))
  local function inside(...)
    local value, err = exec:call("sec:probe", "can", ...)
    check.equal(err, nil, "can")
    return value
  end
  check.equal(inside("read", "doc:1"), true, "an allow")
  check.equal(inside("read", "doc:secret"), false, "a deny")
  check.equal(inside("write", "doc:1"), false, "undefined")
  check.equal(inside("eq", "x", { v = 5 }), true, "meta")
  check.equal(inside("eq", "x", { v = 6 }), false, "other meta")
  check.equal(inside("eq", "x"), false, "no meta")
  check.raises("no action", "string expected", security.can, nil, "doc:1")
  check.raises("no resource", "string expected", security.can, "read")
  check.raises("a table", "string expected", security.can, "read", {})
  check.raises("meta that is no table", "table expected", security.can, "read", "doc:1", "x")
  check.equal(security.can(1, 2), false, "numbers are texts")
end

local function policy()
  local found, err = security.policy("sec:reader")
  check.equal(err, nil, "no error")
  check.equal(found:id(), "sec:reader", "its id")
  check.equal(found, (security.policy("sec:reader")), "the same each time")
  check.fails("unknown", "Internal", "sec:gone", security.policy("sec:gone"))
  check.fails("no policy", "Internal", "sec:jobs", security.policy("sec:jobs"))
  check.fails("empty", "Internal", nil, security.policy(""))
  check.raises("nil", "string expected", security.policy)
end

local function named_scope()
  local scope, err = security.named_scope("sec:docs")
  check.equal(err, nil, "no error")
  check.equal(#scope:policies(), 2, "all policies of the group")
  check.ok(scope:contains("sec:reader") and scope:contains("sec:no_secret"), "its policies")
  check.equal(#assert(security.named_scope("other:shared")):policies(), 1, "a group of another namespace")
  check.fails("unknown", "Internal", "sec:gone", security.named_scope("sec:gone"))
  check.fails("a bare name", "Internal", "docs", security.named_scope("docs"))
  check.raises("nil", "string expected", security.named_scope)
end

local function new_scope()
  check.equal(select("#", security.new_scope()), 1, "a single result")
  check.equal(#security.new_scope():policies(), 0, "nothing given")
  check.equal(#security.new_scope({}):policies(), 0, "an empty list")
  local reader, deny = assert(security.policy("sec:reader")), assert(security.policy("sec:no_secret"))
  local mixed = security.new_scope({ reader, "x", 5, {}, deny, reader, key = deny })
  check.equal(#mixed:policies(), 2, "what is no policy is skipped, and each is there once")
  check.equal(mixed:policies()[1]:id(), "sec:reader", "in their order")
  for _, bad in ipairs({ "x", 5, true, reader }) do
    check.raises("no table", "table expected", security.new_scope, bad)
  end
end

local function new_actor()
  check.equal(select("#", security.new_actor("ann")), 1, "a single result")
  check.equal(security.new_actor("ann"):id(), "ann", "id")
  check.equal(security.new_actor(5):id(), "5", "a number is a text")
  check.raises("nil", "string expected", security.new_actor)
  check.raises("a table", "string expected", security.new_actor, {})
  check.raises("meta that is no table", "table expected", security.new_actor, "ann", "x")
end

local function token_store()
  check.fails("token_store", "Internal", "not available", security.token_store("sec:tokens"))
end

local function modules_are_frozen()
  check.raises("assignment", "", function() security.can = function() return true end end)
  check.equal(security.can("read", "doc:1"), false, "it is what it was")
  local actor = security.new_actor("ann")
  check.raises("a field of an actor", "", function() actor.id = function() return "root" end end)
  check.equal(actor:id(), "ann", "the actor is what it was")
end

return {
  always_present = always_present,
  can = can,
  policy = policy,
  named_scope = named_scope,
  new_scope = new_scope,
  new_actor = new_actor,
  token_store = token_store,
  modules_are_frozen = modules_are_frozen,
}
