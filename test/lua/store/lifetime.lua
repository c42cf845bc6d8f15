local check = require("check")

-- The called function has left without a release.
local function data_outlives_the_call()
  check.equal(funcs.call("store.tests:write", "lifetime", { kept = true }), true)
  check.equal(funcs.call("store.tests:read", "lifetime").kept, true)
  check.equal(check.store():get("lifetime").kept, true)
end

-- A VM instance is used again: what a call has kept of its handle is released then.
local function handles_end_with_the_call()
  check.equal(funcs.call("store.tests:keep"), "store.Store{}")
  check.equal(funcs.call("store.tests:keep"), "store.Store{released}")
end

return { data_outlives_the_call = data_outlives_the_call, handles_end_with_the_call = handles_end_with_the_call }
