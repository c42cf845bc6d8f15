-- lua/security.md, section 1.
local check = require("check")
local security = require("security")
local funcs = require("funcs")

local function as(actor, scope)
  local exec = funcs.new()
  if actor then exec = assert(exec:with_actor(actor)) end
  if scope then exec = assert(exec:with_scope(scope)) end
  return exec
end
local all = function() return security.new_scope({ (assert(security.policy("sec:all"))) }) end

local function no_context()
  check.equal(security.actor(), nil, "actor")
  check.equal(security.scope(), nil, "scope")
  check.equal(security.can("read", "doc:1"), false, "can without a context")
  local who = assert(funcs.call("sec:probe", "who"))
  check.equal(who.actor, nil, "a call without a context begins without one")
  check.equal(who.policies, nil, "scope of it")
end

local function inherited()
  local actor = security.new_actor("ann", { team = "blue" })
  local exec = assert(as(actor, all()):with_context({ value = 7 }))
  local seen = assert(exec:call("sec:probe", "inherits"))
  for _, how in ipairs({ "nested", "async", "spawned" }) do
    check.equal(seen[how].actor, "ann", how .. " actor")
    check.equal(seen[how].team, "blue", how .. " meta")
    check.equal(seen[how].policies, 1, how .. " scope")
    check.equal(seen[how].value, 7, how .. " value")
  end
  check.equal(security.actor(), nil, "the caller keeps what it has")
  local replaced = assert(as(actor, all()):call("sec:probe", "new_objects"))
  check.equal(replaced.actor, "child", "replaced actor")
  check.equal(replaced.team, "red", "replaced meta")
end

-- One of the two missing: allowed, and `can` is false all the same.
local function half_a_context()
  local actor = security.new_actor("ann")
  local only_actor = assert(as(actor, nil):call("sec:probe", "guards"))
  check.equal(only_actor.call.value, true, "an actor without a scope may call")
  check.equal(only_actor.env_get.value, true, "an actor without a scope may read")
  local only_scope = assert(as(nil, security.new_scope()):call("sec:probe", "who"))
  check.equal(only_scope.actor, nil, "no actor")
  check.equal(only_scope.policies, 0, "an empty scope")
  check.equal(assert(as(nil, security.new_scope()):call("sec:probe", "publish", "sec:others")).value, true, "a scope alone denies nothing")
  check.equal((as(actor, nil):call("sec:probe", "can", "read", "doc:1")), false, "can with an actor only")
  check.equal((as(nil, all()):call("sec:probe", "can", "read", "doc:1")), false, "can with a scope only")
  check.equal((as(actor, all()):call("sec:probe", "can", "read", "doc:1")), true, "can with both")
end

local function empty_scope()
  local exec = assert(as(security.new_actor("ann"), security.new_scope()):with_context({ value = "v" }))
  local seen = assert(exec:call("sec:probe", "guards"))
  local denied = {
    "call", "call_unknown", "async", "executor_call", "with_context", "with_network", "with_actor", "with_scope",
    "env_get", "env_set", "publish", "store", "http", "http_batch",
  }
  for _, name in ipairs(denied) do check.ok(seen[name].kind, name .. " is denied") end
  local own = assert(exec:call("sec:probe", "own"))
  check.equal(own.actor, "ann", "its own actor")
  check.equal(own.scope, 0, "its own scope")
  check.equal(own.value, "v", "its context")
  check.ok(own.pid:find("sec:probe", 1, true), "its pid")
end

-- An actor and a scope that a call had are gone after it, also on the same instance of the function.
local function restored()
  local actor = security.new_actor("ann")
  assert(as(actor, security.new_scope()):call("sec:probe", "own"))
  check.equal(assert(funcs.call("sec:probe", "who")).actor, nil, "the next call")
end

local function executors_are_immutable()
  local plain = funcs.new()
  local with = assert(plain:with_actor(security.new_actor("ann")))
  check.ok(with ~= plain, "a new object")
  check.equal(assert(plain:call("sec:probe", "who")).actor, nil, "the first is what it was")
  check.equal(assert(with:call("sec:probe", "who")).actor, "ann", "the second has it")
  local other = assert(with:with_actor(security.new_actor("bob")))
  check.equal(assert(other:call("sec:probe", "who")).actor, "bob", "the later one wins")
  for _, bad in ipairs({ "ann", 1, {}, true, security.new_scope() }) do
    check.raises("with_actor", "security.Actor expected", plain.with_actor, plain, bad)
  end
  check.raises("with_actor(nil)", "security.Actor expected", plain.with_actor, plain, nil)
  check.raises("with_scope(nil)", "security.Scope expected", plain.with_scope, plain, nil)
  check.raises("with_scope", "security.Scope expected", plain.with_scope, plain, security.new_actor("ann"))
end

return {
  no_context = no_context,
  inherited = inherited,
  half_a_context = half_a_context,
  empty_scope = empty_scope,
  restored = restored,
  executors_are_immutable = executors_are_immutable,
}
