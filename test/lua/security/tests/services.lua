-- processes-declarations.md, section 5: `lifecycle.security` of a consumer, and a consumer without.
local check = require("check")
local store = require("store")
local queue = require("queue")
local time = require("time")

local function note_of(queue_id, name)
  assert(queue.publish(queue_id, { n = 1, note = name }))
  local notes = assert(store.get("sec:notes"))
  for _ = 1, 1000 do
    local note = notes:get(name)
    if note then return note end
    time.sleep("10ms")
  end
  error("the consumer has not run")
end

local function with_security()
  local note = note_of("sec:jobs", "with")
  check.equal(note.actor, "service:jobs", "actor")
  check.equal(note.meta.team, "blue", "its meta")
  check.equal(note.meta.level, 3, "a number of it")
  check.equal(note.meta.tags[2], "b", "a list of it")
  check.equal(#note.policies, 2, "the policies of the groups and those listed")
  check.equal(note.policies[1], "sec:store_all", "of the group")
  check.equal(note.policies[2], "sec:vars_open", "listed")
  check.equal(note.open, "open", "what it may")
  check.equal(note.closed, nil, "what it may not")
end

local function without_security()
  local note = note_of("sec:others", "without")
  check.equal(note.actor, "none", "no actor")
  check.equal(#note.policies, 0, "no scope")
  check.equal(note.closed, "closed", "nothing is denied")
end

return { with_security = with_security, without_security = without_security }
