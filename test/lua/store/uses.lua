-- What other calls do with the store that a test looks at.
local kept

local function read(key)
  return assert(store.get("store.tests:subject")):get(key)
end
local function write(key, value)
  return assert(store.get("store.tests:subject")):set(key, value)
end
local function keep()
  if kept ~= nil then return tostring(kept) end
  kept = assert(store.get("store.tests:subject"))
  return tostring(kept)
end

return { read = read, write = write, keep = keep }
