-- Of two consumers, one with `lifecycle.security` and one without: writes down who it is and what it may do.
local security = require("security")
local store = require("store")
local env = require("env")

local function main(job)
  local actor, scope = security.actor(), security.scope()
  local note = { job = job.n, actor = actor and actor:id() or "none", policies = {} }
  if actor then note.meta = actor:meta() end
  if scope then
    for i, policy in ipairs(scope:policies()) do note.policies[i] = policy:id() end
  end
  note.open = env.get("OPEN_VAR")
  note.closed = env.get("CLOSED_VAR")
  local notes = assert(store.get("sec:notes"))
  assert(notes:set(job.note, note))
end

return { main = main }
