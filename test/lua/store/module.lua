local check = require("check")

local function get_gives_a_store()
  local s, err = store.get("store.tests:subject")
  check.equal(err, nil)
  check.equal(type(s), "userdata")
  check.equal(tostring(s), "store.Store{}")
  check.equal(type(s.get), "function")
end

local function id_types()
  check.raises(store.get, {})
  check.raises(store.get, true)
  check.raises(store.get)
  check.fault("Invalid", "resource id is required", store.get(""))
  local _, err = store.get(42)
  check.equal(err:retryable(), false)
end

local function unknown_and_wrong_resources()
  local s, err = store.get("store.tests:nothing")
  check.equal(s, nil)
  check.equal(err:kind(), "NotFound")
  check.equal(err:retryable(), false)
  local f, wrong = store.get("store.tests:check")
  check.fault("Invalid", nil, f, wrong)
end

local function constants()
  check.equal(store.backend.MEMORY, "memory")
  check.equal(store.backend.SQL, "sql")
  check.equal(store.backend.REDIS, "redis")
  check.equal(store.backend.KV_RAFT, "kv.raft")
  check.equal(store.backend.KV_CRDT, "kv.crdt")
  check.equal(store.backend.UNKNOWN, "unknown")
  check.equal(store.consistency.LINEARIZABLE, "linearizable")
  check.equal(store.consistency.EVENTUAL, "eventual")
  check.equal(store.consistency.LOCAL, "local")
  check.equal(store.consistency.UNKNOWN, "unknown")
end

local function constants_are_immutable()
  check.raises(function() store.backend.MEMORY = "x" end)
  check.raises(function() store.consistency.LOCAL = "x" end)
  check.raises(function() store.get = nil end)
  check.equal(store.backend.MEMORY, "memory")
end

local function info_tells_the_backend()
  local info = assert(check.store():info())
  check.equal(info.id, "store.tests:subject")
  local by_backend = {
    [store.backend.MEMORY] = { store.consistency.LOCAL, false, true },
    [store.backend.REDIS] = { store.consistency.LINEARIZABLE, true, true },
    [store.backend.SQL] = { store.consistency.LOCAL, true, false },
  }
  local wanted = by_backend[info.backend]
  check.equal(info.consistency, wanted[1])
  check.equal(info.durable, wanted[2])
  check.equal(info.versioned, wanted[3])
  check.equal(info.conditional_put, wanted[3])
  for _, able in ipairs({ "list", "ttl" }) do check.equal(info[able], true, able) end
end

return {
  get_gives_a_store = get_gives_a_store, id_types = id_types, unknown_and_wrong_resources = unknown_and_wrong_resources,
  constants = constants, constants_are_immutable = constants_are_immutable, info_tells_the_backend = info_tells_the_backend,
}
