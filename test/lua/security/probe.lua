-- What a test wants to see from inside another actor and scope, by name.
local security = require("security")
local funcs = require("funcs")
local ctx = require("ctx")

-- Of `value, err`; the errors of a batch are a table, and no failure of the whole.
local function outcome(value, err)
  if type(err) == "userdata" then return { kind = err:kind(), message = err:message(), retryable = err:retryable() } end
  return { value = value ~= nil }
end
local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  return { ok = ok, message = ok and "" or tostring(err) }
end

local probes = {}

function probes.who()
  local actor, scope = security.actor(), security.scope()
  return {
    actor = actor and actor:id(),
    team = actor and actor:meta().team,
    policies = scope and #scope:policies(),
    value = (ctx.get("value")),
    pid = process.pid(),
  }
end

-- Through a nested call, an async one and a coroutine.
function probes.inherits()
  local nested = assert(funcs.call("sec:probe", "who"))
  local future = assert(funcs.async("sec:probe", "who"))
  local payload = future:response():receive()
  local seen
  local done = channel.new(1)
  coroutine.spawn(function()
    seen = probes.who()
    done:send(true)
  end)
  done:receive()
  return { nested = nested, async = payload:data(), spawned = seen }
end

function probes.can(action, resource, meta)
  return security.can(action, resource, meta)
end

function probes.new_objects()
  local actor = security.new_actor("child", { team = "red" })
  local scope = security.new_scope({ (assert(security.policy("sec:all"))) })
  return assert(funcs.new():with_actor(actor):with_scope(scope):call("sec:probe", "who"))
end

function probes.builders()
  return {
    new_scope = raised(security.new_scope),
    new_actor = raised(security.new_actor, "x"),
    with = raised(function() return security.scope():with((security.scope():policies())[1]) end),
    without = raised(function() return security.scope():without("sec:all") end),
    policy = outcome(security.policy("sec:all")),
    named_scope = outcome(security.named_scope("sec:docs")),
    unknown_policy = outcome(security.policy("sec:gone")),
  }
end

function probes.guards()
  local queue, store, env, http_client = require("queue"), require("store"), require("env"), require("http_client")
  local out = {
    call = outcome(funcs.call("sec:probe", "who")),
    call_unknown = outcome(funcs.call("sec:gone")),
    async = outcome(funcs.async("sec:probe", "who")),
    executor_call = outcome(funcs.new():call("sec:probe", "who")),
    with_context = outcome(funcs.new():with_context({ a = 1 })),
    with_network = outcome(funcs.new():with_options({ network = "sec:net" })),
    with_options = outcome(funcs.new():with_options({ timeout = "1s" })),
    with_actor = security.actor() and outcome(funcs.new():with_actor(security.actor())),
    with_scope = security.scope() and outcome(funcs.new():with_scope(security.scope())),
    env_get = outcome(env.get("OPEN_VAR")),
    env_set = outcome(env.set("OPEN_VAR", "open")),
    publish = outcome(queue.publish("sec:others", { n = 0, note = "ignored" })),
    publish_empty = outcome(queue.publish("", { n = 0 })),
    store = outcome(store.get("sec:notes")),
    store_unknown = outcome(store.get("sec:gone")),
    http = outcome(http_client.get("http://127.0.0.1:1/x")),
    http_batch = outcome(http_client.request_batch({ { "GET", "http://127.0.0.1:1/x" } })),
  }
  local all = env.get_all()
  out.env_all = { open = all.OPEN_VAR, closed = all.CLOSED_VAR }
  return out
end

-- What stays possible whatever the scope.
function probes.own()
  return {
    actor = security.actor():id(),
    scope = #security.scope():policies(),
    value = (ctx.get("value")),
    pid = process.pid(),
  }
end

-- Every method of a store that the scope lets be opened.
function probes.store(key)
  local notes = assert(require("store").get("sec:notes"))
  return {
    get = outcome(notes:get(key)),
    entry = outcome(notes:entry(key)),
    has = outcome(notes:has(key)),
    set = outcome(notes:set(key, "v")),
    put = outcome(notes:put(key, "v")),
    delete = outcome(notes:delete(key)),
    list = outcome(notes:list({ prefix = key })),
    info = outcome(notes:info()),
    no_key = outcome(notes:get("")),
  }
end

function probes.publish(queue_id)
  return outcome(require("queue").publish(queue_id, { n = 0, note = "ignored" }))
end

function probes.get(url)
  return outcome(require("http_client").get(url, { timeout = "5s" }))
end

local function run(name, ...)
  return probes[name](...)
end

return { run = run }
