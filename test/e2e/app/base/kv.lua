local http = require("http")
local store = require("store")

local function open()
  local kv, err = store.get("e2e:kv")
  if err then
    error(err)
  end
  return kv, http.request():param("key")
end

local function set()
  local kv, key = open()
  local _, err = kv:set(key, http.request():body())
  if err then
    return nil, err
  end
  http.response():set_status(http.STATUS.NO_CONTENT)
end

local function get()
  local kv, key = open()
  local value, err = kv:get(key)
  local response = http.response()
  if err and err:kind() == "NotFound" then
    response:set_status(http.STATUS.NOT_FOUND)
    return
  end
  response:write_json({ value = value })
end

local function delete()
  local kv, key = open()
  local deleted = kv:delete(key)
  http.response():write_json({ deleted = deleted })
end

return { set = set, get = get, delete = delete }
