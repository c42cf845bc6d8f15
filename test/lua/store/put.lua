local check = require("check")

local UNSUPPORTED = "operation not supported by this store"

local function gives_the_new_entry()
  local s = check.store()
  local entry = assert(s:put("p:1", { a = 1 }))
  check.equal(entry.key, "p:1")
  check.equal(entry.value.a, 1)
  check.equal(entry.version, s:entry("p:1").version)
  if check.is_unversioned(s) then return check.equal(entry.version, "0") end
  assert(s:put("p:1", 2).version ~= entry.version)
end

local function only_if_absent()
  local s = check.store()
  if check.is_unversioned(s) then
    check.fault("Invalid", UNSUPPORTED, s:put("absent", 1, { only_if_absent = true }))
    check.equal(s:has("absent"), false)
    assert(s:put("absent", 1, { only_if_absent = false }))
    return
  end
  assert(s:put("absent", 1, { only_if_absent = true }))
  check.fault("AlreadyExists", "key already exists", s:put("absent", 2, { only_if_absent = true }))
  check.equal(s:get("absent"), 1)
  s:delete("absent")
  assert(s:put("absent", 3, { only_if_absent = true }))
  assert(s:put("absent", 4, { only_if_absent = false }))
end

local function if_version()
  local s = check.store()
  if check.is_unversioned(s) then
    s:set("versions", 1)
    check.fault("Invalid", UNSUPPORTED, s:put("versions", 2, { if_version = "1" }))
    check.equal(s:get("versions"), 1)
    return
  end
  local first = assert(s:put("versions", 1))
  local second = assert(s:put("versions", 2, { if_version = first.version }))
  local value, err = s:put("versions", 3, { if_version = first.version })
  check.fault("Conflict", "version mismatch", value, err, true)
  check.equal(s:get("versions"), 2)
  s:set("versions", 4)
  check.fault("Conflict", "version mismatch", nil, select(2, s:put("versions", 5, { if_version = second.version })), true)
  local listed = s:list({ prefix = ":versions" }).items[1]
  assert(s:put("versions", 6, { if_version = listed.version }))
  check.fault("NotFound", nil, s:put("versions.none", 1, { if_version = first.version }))
end

local function ttl()
  local s = check.store()
  assert(s:put("put.ttl", 1, { ttl = 0.1 }))
  assert(s:put("put.kept", 1, { ttl = 0 }))
  check.poll("the expiry", function() return not s:has("put.ttl") end)
  assert(s:put("put.ttl", 2, not check.is_unversioned(s) and { only_if_absent = true } or nil))
  check.equal(s:has("put.kept"), true)
end

local function option_faults()
  local s = check.store()
  check.fault("Invalid", "options must be a table", s:put("k", 1, "x"))
  check.fault("Invalid", "ttl must be a non-negative number", s:put("k", 1, { ttl = -1 }))
  check.fault("Invalid", "ttl must be a non-negative number", s:put("k", 1, { ttl = "1" }))
  check.fault("Invalid", "only_if_absent must be a boolean", s:put("k", 1, { only_if_absent = 1 }))
  for _, version in ipairs({ "", "0", "-1", "x", 5 }) do
    check.fault("Invalid", "if_version must be a positive version", s:put("k", 1, { if_version = version }))
  end
  check.fault("Invalid", "only_if_absent and if_version are mutually exclusive", s:put("k", 1, { only_if_absent = true, if_version = "1" }))
  check.equal(s:has("k"), false)
end

local function one_of_many_wins()
  local s = check.store()
  if check.is_unversioned(s) then return end
  local version = s:put("race", 0).version
  local results = channel.new(8)
  for i = 1, 8 do
    coroutine.spawn(function() results:send(s:put("race", i, { if_version = version }) ~= nil) end)
  end
  local won = 0
  for _ = 1, 8 do
    if results:receive() then won = won + 1 end
  end
  check.equal(won, 1)
end

return {
  gives_the_new_entry = gives_the_new_entry, only_if_absent = only_if_absent, if_version = if_version, ttl = ttl,
  option_faults = option_faults, one_of_many_wins = one_of_many_wins,
}
