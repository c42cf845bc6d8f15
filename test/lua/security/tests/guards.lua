-- lua/security.md, section 2 (builders), and the denial forms of the modules.
local check = require("check")
local security = require("security")
local funcs = require("funcs")

local function inside(scope)
  return assert(assert(funcs.new():with_actor(security.new_actor("ann"))):with_scope(scope))
end
local function scope_of(...)
  local policies = {}
  for i, id in ipairs({ ... }) do policies[i] = assert(security.policy(id)) end
  return security.new_scope(policies)
end
local function denied(result, what, kind, message)
  check.equal(result.kind, kind, what)
  check.equal(result.message, message, what)
  check.equal(result.retryable, false, what .. ", retryable")
end

local function builders()
  local seen = assert(inside(scope_of("sec:reader")):call("sec:probe", "builders"))
  for name, action in pairs({
    new_scope = "security.scope.create on custom",
    with = "security.scope.create on with",
    without = "security.scope.create on without",
    new_actor = "security.actor.create on x",
  }) do
    check.equal(seen[name].ok, false, name .. " raises")
    check.ok(string.find(seen[name].message, "not allowed: " .. action, 1, true), name .. ": " .. seen[name].message)
  end
  denied(seen.policy, "policy", "Invalid", "not allowed to get policy: sec:all")
  denied(seen.named_scope, "named_scope", "Invalid", "not allowed to get policy group: sec:docs")
  denied(seen.unknown_policy, "a denial tells nothing", "Invalid", "not allowed to get policy: sec:gone")
  local free = assert(inside(scope_of("sec:all")):call("sec:probe", "builders"))
  for _, name in ipairs({ "new_scope", "with", "without", "new_actor" }) do check.equal(free[name].ok, true, name) end
  check.equal(free.policy.value, true, "policy")
  check.equal(free.named_scope.value, true, "named_scope")
  check.equal(free.unknown_policy.kind, "Internal", "unknown")
end

local function denied_forms()
  local seen = assert(inside(security.new_scope()):call("sec:probe", "guards"))
  denied(seen.call, "funcs.call", "PermissionDenied", "not allowed: sec:probe")
  denied(seen.call_unknown, "funcs.call of nothing", "PermissionDenied", "not allowed: sec:gone")
  denied(seen.async, "funcs.async", "PermissionDenied", "not allowed: sec:probe")
  denied(seen.executor_call, "executor:call", "PermissionDenied", "not allowed: sec:probe")
  check.equal(seen.with_context.kind, "PermissionDenied", "with_context")
  check.equal(seen.with_network.kind, "PermissionDenied", "with_options with a network")
  check.equal(seen.with_options.value, true, "other options are not guarded")
  check.equal(seen.with_actor.kind, "PermissionDenied", "with_actor")
  check.equal(seen.with_scope.kind, "PermissionDenied", "with_scope")
  denied(seen.env_get, "env.get", "PermissionDenied", "not allowed to access environment variable: OPEN_VAR")
  denied(seen.env_set, "env.set", "PermissionDenied", "not allowed to set environment variable: OPEN_VAR")
  check.equal(seen.env_all.open, nil, "env.get_all leaves out what is denied")
  denied(seen.publish, "queue.publish", "Invalid", "queue publishing not allowed")
  denied(seen.publish_empty, "queue.publish, checked first", "Invalid", "queue publishing not allowed")
  check.equal(seen.store.kind, "PermissionDenied", "store.get")
  check.equal(seen.store_unknown.kind, "PermissionDenied", "store.get of nothing")
  denied(seen.http, "http_client.get", "PermissionDenied", "not allowed: http://127.0.0.1:1/x")
  denied(seen.http_batch, "http_client.request_batch", "PermissionDenied", "not allowed: http://127.0.0.1:1/x")
end

local function allowed()
  local seen = assert(inside(scope_of("sec:all")):call("sec:probe", "guards"))
  for _, name in ipairs({
    "call", "async", "executor_call", "with_context", "with_network", "with_actor", "with_scope", "env_get", "env_set",
    "publish", "store",
  }) do
    check.equal(seen[name].value, true, name)
  end
  check.equal(seen.call_unknown.kind, "NotFound", "an unknown function")
  check.equal(seen.publish_empty.message, "queue ID required", "an empty queue id")
  check.equal(seen.store_unknown.kind, "NotFound", "an unknown store")
  check.equal(seen.http.kind, "Internal", "a port that nobody listens on")
  local one = assert(inside(scope_of("sec:vars_open", "sec:guard_probe")):call("sec:probe", "guards"))
  check.equal(one.env_get.value, true, "env.get of one")
  check.equal(one.env_all.closed, nil, "and of no other")
end

-- Each method of a store has an action of its own, and sees the key.
local function stores()
  local key = "own:1"
  local open = assert(inside(scope_of("sec:store_all")):call("sec:probe", "store", key))
  for _, name in ipairs({ "set", "put", "has", "delete", "list", "info" }) do check.equal(open[name].value, true, name) end
  local actions = {
    { "sec:store_get", { "get", "entry" } },
    { "sec:store_has", { "has" } },
    { "sec:store_set", { "set", "put" } },
    { "sec:store_delete", { "delete" } },
    { "sec:store_list", { "list" } },
    { "sec:store_info", { "info" } },
  }
  for _, case in ipairs(actions) do
    local seen = assert(inside(scope_of("sec:store_open", case[1])):call("sec:probe", "store", key))
    local free = {}
    for _, name in ipairs(case[2]) do free[name] = true end
    for _, name in ipairs({ "get", "entry", "has", "set", "put", "delete", "list", "info" }) do
      if free[name] then check.ok(seen[name].kind ~= "PermissionDenied", case[1] .. " allows " .. name)
      else check.equal(seen[name].kind, "PermissionDenied", case[1] .. " denies " .. name) end
    end
    check.equal(seen.no_key.kind, "Invalid", "arguments are checked first")
  end
  local own = scope_of("sec:store_open", "sec:store_own")
  for key, wanted in pairs({ ["mine"] = true, [":mine"] = true, ["other"] = false, ["mine:1"] = false }) do
    local seen = assert(inside(own):call("sec:probe", "store", key))
    check.equal(seen.set.kind == nil, wanted, "the key " .. key)
  end
end

local function queues()
  local scope = scope_of("sec:publish_others")
  check.equal(assert(inside(scope):call("sec:probe", "publish", "sec:others")).value, true, "the queue that is allowed")
  local other = assert(inside(scope):call("sec:probe", "publish", "sec:jobs"))
  denied(other, "another queue", "Invalid", "not allowed to publish to queue: sec:jobs")
end

local function outgoing_http()
  local scope = scope_of("sec:http_public")
  local seen = assert(inside(scope):call("sec:probe", "get", "http://127.0.0.1:1/x"))
  denied(seen, "a private address written out", "PermissionDenied", "not allowed: 127.0.0.1")
  local named = assert(inside(scope):call("sec:probe", "get", "http://localhost:1/x"))
  check.equal(named.kind, "PermissionDenied", "a name that leads to one: " .. tostring(named.message))
  local more = scope_of("sec:http_public", "sec:http_private")
  check.equal(assert(inside(more):call("sec:probe", "get", "http://127.0.0.1:1/x")).kind, "Internal", "allowed, and refused by the port")
  check.equal(assert(inside(more):call("sec:probe", "get", "http://localhost:1/x")).kind, "Internal", "so for the name")
end

return {
  builders = builders,
  denied = denied_forms,
  allowed = allowed,
  stores = stores,
  queues = queues,
  outgoing_http = outgoing_http,
}
