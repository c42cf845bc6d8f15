local http = require("http")
local rooms = require("rooms")

-- GET /rooms/{room}/events?name=ada: what happens in the room, for as long as the client stays connected.
-- This call has a pid and a mailbox like any process. When the client goes, the call is cancelled: the room, which
-- monitors it, sees that. When the room goes, the call sees it in turn and ends the stream.
local function main()
  local request, response = http.request(), http.response()
  local room, name = request:param("room"), request:query("name")
  if name == nil or name == "" then
    response:set_status(http.STATUS.BAD_REQUEST)
    response:write("say who you are: ?name=ada\n")
    return
  end

  local feed, events = process.listen("feed"), process.events()
  local pid, err = rooms.tell(room, "join", { pid = process.pid(), name = name })
  if err then
    return nil, err
  end
  process.monitor(pid)

  response:set_transfer(http.TRANSFER.SSE)
  response:flush()
  while true do
    local got = channel.select({ feed:case_receive(), events:case_receive() })
    if got.channel == events then
      return -- the room is gone
    end
    if response:write_event(got.value) then
      return -- so is the client
    end
  end
end

return { main = main }
