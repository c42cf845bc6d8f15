local check = require("check")

local function set_get_has_delete()
  local s = check.store()
  local ok, err = s:set("sghd", "v")
  check.equal(ok, true)
  check.equal(err, nil)
  check.equal(s:get("sghd"), "v")
  check.equal(s:has("sghd"), true)
  local gone, none = s:delete("sghd")
  check.equal(gone, true)
  check.equal(none, nil)
  local again, no_error = s:delete("sghd")
  check.equal(again, false)
  check.equal(no_error, nil)
  local has, has_err = s:has("sghd")
  check.equal(has, false)
  check.equal(has_err, nil)
end

local function not_found()
  local s = check.store()
  check.fault("NotFound", "key not found", s:get("nf"))
  check.fault("NotFound", "key not found", s:entry("nf"))
end

local function entry_and_versions()
  local s = check.store()
  s:set("ev:1", { a = 1 })
  local entry = assert(s:entry("ev:1"))
  check.equal(entry.key, "ev:1")
  check.equal(entry.value.a, 1)
  check.equal(type(entry.version), "string")
  if check.is_unversioned(s) then return check.equal(entry.version, "0") end
  assert(tonumber(entry.version) > 0)
  s:set("ev:1", { a = 1 })
  assert(s:entry("ev:1").version ~= entry.version, "every write changes the version")
end

local function release_is_idempotent()
  local s = check.store()
  local other = check.store()
  check.equal(s:release(), true)
  check.equal(s:release(), true)
  check.equal(tostring(s), "store.Store{released}")
  check.equal(tostring(other), "store.Store{}")
  check.equal(other:set("rel", 1), true)
end

local function released_comes_first()
  local s = check.store()
  s:release()
  check.fault("Invalid", "store is released", s:get(""))
  check.fault("Invalid", "store is released", s:set("", nil))
  check.fault("Invalid", "store is released", s:has("k"))
  check.fault("Invalid", "store is released", s:delete("k"))
  check.fault("Invalid", "store is released", s:entry("k"))
  check.fault("Invalid", "store is released", s:list({ limit = -1 }))
  check.fault("Invalid", "store is released", s:put("k", 1))
  check.fault("Invalid", "store is released", s:info())
end

local function key_faults()
  local s = check.store()
  for _, method in ipairs({ "get", "has", "delete", "entry" }) do
    check.fault("Invalid", "key is required", s[method](s, ""))
    check.raises(s[method], s, {})
    check.raises(s[method], s)
  end
  check.fault("Invalid", "key is required", s:set("", 1))
  check.fault("Invalid", "key is required", s:put("", 1))
  check.raises(s.set, s, true, 1)
  s:set(42, "number")
  check.equal(s:get("42"), "number")
end

local function value_is_required()
  local s = check.store()
  check.fault("Invalid", "value is required", s:set("vr"))
  check.fault("Invalid", "value is required", s:set("vr", nil))
  check.fault("Invalid", "value is required", s:put("vr", nil))
  check.equal(s:set("vr", false), true)
  check.equal(s:get("vr"), false)
end

local function works_in_coroutines()
  local s = check.store()
  local done = channel.new(2)
  for i = 1, 2 do
    coroutine.spawn(function()
      s:set("co:" .. i, i)
      done:send(s:get("co:" .. i))
    end)
  end
  check.equal(done:receive() + done:receive(), 3)
  local ok, value = pcall(function() return s:get("co:1") end)
  check.equal(ok, true)
  check.equal(value, 1)
end

local function wrong_receiver_raises()
  local s = check.store()
  check.raises(s.get, {}, "k")
  check.raises(s.get, "text", "k")
end

return {
  set_get_has_delete = set_get_has_delete, not_found = not_found, entry_and_versions = entry_and_versions,
  release_is_idempotent = release_is_idempotent, released_comes_first = released_comes_first, key_faults = key_faults,
  value_is_required = value_is_required, works_in_coroutines = works_in_coroutines, wrong_receiver_raises = wrong_receiver_raises,
}
