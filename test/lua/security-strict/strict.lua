-- lua/security.md, section 1: the third line of the table, and what no line forbids.
local security = require("security")

local function kind_of(_, err)
  return err and err:kind() or "none"
end
local function equal(found, wanted, what)
  if found ~= wanted then error(what .. ": expected " .. tostring(wanted) .. ", got " .. tostring(found), 2) end
end

local function denied()
  equal(kind_of(require("funcs").call("strict:open")), "PermissionDenied", "funcs.call")
  equal(kind_of(require("funcs").new():with_context({ a = 1 })), "PermissionDenied", "with_context")
  equal(kind_of(require("env").get("SOME_VAR")), "PermissionDenied", "env.get")
  equal(next((require("env").get_all())), nil, "env.get_all")
  equal(kind_of(require("store").get("strict:store")), "PermissionDenied", "store.get")
  equal(kind_of(require("queue").publish("strict:queue", 1)), "Invalid", "queue.publish")
  equal(kind_of(require("http_client").get("http://127.0.0.1:1/")), "PermissionDenied", "http_client.get")
  equal(kind_of(security.policy("strict:any")), "Invalid", "security.policy")
  equal(pcall(security.new_scope), false, "security.new_scope")
  equal(pcall(security.new_actor, "ann"), false, "security.new_actor")
end

local function open()
  equal(security.actor(), nil, "actor")
  equal(security.scope(), nil, "scope")
  equal(security.can("read", "doc:1"), false, "can")
  equal(kind_of(require("ctx").all()), "none", "ctx.all")
  equal(type(process.pid()), "string", "process.pid")
end

return { denied = denied, open = open }
