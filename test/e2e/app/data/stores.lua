local http = require("http")
local store = require("store")

local function open()
  return assert(store.get("e2e:kv." .. http.request():param("store")))
end

local function put()
  assert(open():set(http.request():param("key"), http.request():body()))
  http.response():set_status(http.STATUS.NO_CONTENT)
end

local function take()
  local kv, key = open(), http.request():param("key")
  local value, err = kv:get(key)
  if err and err:kind() == "NotFound" then
    http.response():set_status(http.STATUS.NOT_FOUND)
    return
  elseif err then
    return nil, err
  end
  assert(kv:delete(key))
  http.response():write_json({ length = #value })
end

-- Every operation with every outcome that needs no failing backend.
local function outcomes()
  local kv = open()
  local key, none = "secret-key:one", "secret-key:none"
  assert(kv:put(key, { n = 1 }))
  if kv:info().conditional_put then
    local _, exists = kv:put(key, 2, { only_if_absent = true })
    assert(exists:kind() == "AlreadyExists")
    local _, differs = kv:put(key, 2, { if_version = "999999" })
    assert(differs:kind() == "Conflict")
    local _, absent = kv:put(none, 2, { if_version = "1" })
    assert(absent:kind() == "NotFound")
  end
  assert(kv:entry(key).value.n == 1)
  assert(kv:has(key))
  assert(not kv:has(none))
  assert(#kv:list({ prefix = "secret-key:" }).items == 1)
  local loop = {}
  loop.self = loop
  local _, unfit = kv:set(key, loop)
  assert(unfit)
  _, unfit = kv:put(key, loop)
  assert(unfit)
  assert(kv:delete(key))
  assert(not kv:delete(key))
  http.response():write_json({ ok = true })
end

return { put = put, take = take, outcomes = outcomes }
