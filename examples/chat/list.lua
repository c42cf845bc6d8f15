local http = require("http")
local store = require("store")
local rooms = require("rooms")

-- GET /rooms: who is where.
local function main()
  local presence, err = store.get(rooms.PRESENCE)
  if err then
    return nil, err
  end
  local page, unread = presence:list()
  if unread then
    return nil, unread
  end
  local found = {}
  for _, entry in ipairs(page.items) do
    -- A room that failed could not tidy up behind itself, but its name is free again.
    if process.registry.lookup(rooms.name(entry.value.room)) then
      table.insert(found, entry.value)
    end
  end
  http.response():write_json({ rooms = found })
end

return { main = main }
