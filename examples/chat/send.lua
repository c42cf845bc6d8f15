local http = require("http")
local rooms = require("rooms")

-- POST /rooms/{room}/messages {"from": "ada", "text": "hello"}
local function main()
  local request, response = http.request(), http.response()
  local message, malformed = request:body_json()
  if malformed or type(message.from) ~= "string" or type(message.text) ~= "string" then
    response:set_content_type(http.CONTENT.JSON)
    response:set_status(http.STATUS.BAD_REQUEST)
    response:write_json({ error = 'send JSON such as {"from": "ada", "text": "hello"}' })
    return
  end

  local _, err = rooms.tell(request:param("room"), "say", { from = message.from, text = message.text })
  if err then
    return nil, err
  end
  response:set_status(http.STATUS.ACCEPTED) -- the room has it; who is there will read it
end

return { main = main }
