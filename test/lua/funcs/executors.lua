-- lua/funcs.md, section 2.
local check = require("check")
local funcs = require("funcs")
local M = {}

function M.every_with_gives_a_new_one()
  local exec = funcs.new()
  check.eq(select("#", funcs.new()), 1)
  for _, other in ipairs({ exec:with_options({}), exec:with_context({}) }) do check.yes(other ~= exec) end
  check.eq(select("#", exec:with_options({})), 2)
  check.eq(exec:with_context({ a = 1 }):with_options({}):call("test.funcs:bag", "a"), 1, "chains")
  local kept = exec:with_context({ a = 2 })
  for _ = 1, 3 do check.eq(kept:call("test.funcs:bag", "a"), 2, "and may be used again") end
  check.eq(exec:call("test.funcs:bag", "a"), nil, "the first has nothing of it")
end

function M.context_is_merged()
  local exec = funcs.new():with_context({ a = 1, b = 1 }):with_context({ b = 2, c = { d = { e = 3 } }, s = "x", t = true })
  local bag = exec:call("test.funcs:bag")
  check.eq(bag.a, 1)
  check.eq(bag.b, 2)
  check.eq(bag.c.d.e, 3)
  check.eq(bag.s, "x")
  check.eq(bag.t, true)
  check.eq(exec:async("test.funcs:bag", "b"):response():receive():data(), 2)
end

function M.inherited_values_are_overlaid()
  local exec = funcs.new():with_context({ a = 1, b = 1 })
  local found = exec:call("test.funcs:bag_with_more", "b", 2)
  check.eq(found.below.a, 1)
  check.eq(found.below.b, 2)
  check.eq(found.own.b, 1, "the caller's own is not changed")
end

function M.options_are_replaced_and_win()
  local exec = funcs.new():with_options({ timeout = "50ms" })
  check.fails("Timeout", nil, exec:call("test.funcs:sleep", 5000))
  check.eq(exec:with_options({ other = 1 }):call("test.funcs:sleep", 100, "v"), "v", "replaced, not merged")
  check.fails("Timeout", nil, funcs.call("test.funcs:hasty", 5000))
  check.eq(funcs.new():with_options({ timeout = "10s" }):call("test.funcs:hasty", 300, "v"), "v", "the call's own win")
  check.eq(funcs.new():with_options({ nobody_knows = { this = 1 } }):call("test.funcs:echo", 1), 1)
end

function M.options_reach_the_interceptors()
  check.fails("Unavailable", "not yet", funcs.call("test.funcs:flaky", "without"))
  local exec = funcs.new():with_options({ retry = { max_attempts = 5, initial_delay = "1ms" } })
  check.eq(exec:call("test.funcs:flaky", "with"), 3)
end

function M.wrong_arguments_raise()
  local exec = funcs.new()
  for _, name in ipairs({ "with_context", "with_options", "with_actor", "with_scope" }) do
    for _, wrong in ipairs({ 1, "x", true }) do check.raises(nil, exec[name], exec, wrong) end
    check.raises(nil, exec[name], exec)
    check.raises(nil, exec[name], {}, {})
  end
  check.raises(nil, exec.with_actor, exec, {})
  check.raises(nil, exec.with_scope, exec, {})
end

function M.actor_and_scope()
  local exec, err = funcs.new():with_actor(security.new_actor("ann", {}))
  check.eq(err, nil)
  check.eq(funcs.call("test.funcs:actor_id"), "nobody")
  check.eq(exec:call("test.funcs:actor_id"), "ann")
  check.eq(exec:async("test.funcs:actor_id"):response():receive():data(), "ann")
  check.eq(exec:call("test.funcs:actor_of_process"), "ann")
  local scoped = exec:with_scope(security.new_scope())
  check.yes(scoped ~= exec)
  check.fails("PermissionDenied", "not allowed: test.funcs:actor_id", scoped:call("test.funcs:calls_actor_id"))
end

--- With an actor and an empty scope nothing is allowed.
function M.calls_actor_id() return funcs.call("test.funcs:actor_id") end

function M.denied()
  local out = {}
  local function says(name, v, err) out[name] = err and (err:kind() .. " " .. err:message()) or "ok" end
  local exec = funcs.new()
  says("call", funcs.call("test.funcs:echo"))
  says("async", funcs.async("test.funcs:echo"))
  says("exec_call", exec:call("test.funcs:echo"))
  says("exec_async", exec:async("test.funcs:echo"))
  says("invalid", funcs.call("echo"))
  says("unknown", funcs.call("test.funcs:none"))
  says("context", exec:with_context({ a = 1 }))
  says("options", exec:with_options({ timeout = "1s" }))
  says("network", exec:with_options({ network = "app:net" }))
  says("actor", exec:with_actor(security.actor()))
  says("scope", exec:with_scope(security.scope()))
  return out
end

function M.policies()
  local exec = funcs.new():with_actor(security.new_actor("ann", {})):with_scope(security.new_scope())
  local said = exec:call("test.funcs:denied")
  for name, wanted in pairs({
    call = "PermissionDenied not allowed: test.funcs:echo",
    async = "PermissionDenied not allowed: test.funcs:echo",
    exec_call = "PermissionDenied not allowed: test.funcs:echo",
    exec_async = "PermissionDenied not allowed: test.funcs:echo",
    invalid = "Invalid namespace required in function ID",
    unknown = "PermissionDenied not allowed: test.funcs:none",
    context = "PermissionDenied not allowed: context",
    options = "ok",
    network = "PermissionDenied not allowed: app:net",
    actor = "PermissionDenied not allowed: security",
    scope = "PermissionDenied not allowed: security",
  }) do
    check.eq(said[name], wanted, name)
  end
end

return M
