-- A library: how everybody else gets at a room.
local rooms = {}

rooms.PRESENCE = "chat:presence" -- the store

-- The name that the room's process is registered under.
function rooms.name(room: string): string
  return "room:" .. room
end

-- Hands a message to the room, which is started where it does not run yet. Both happen in one step: a room that is
-- about to close either gets the message and stays, or is gone and a new one begins with it.
function rooms.tell(room: string, topic: string, message)
  return process
    .with_context({})
    :with_name(rooms.name(room))
    :with_message(topic, message)
    :spawn("chat:room", "chat:workers", room)
end

return rooms
