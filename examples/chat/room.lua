local funcs = require("funcs")
local logger = require("logger")
local store = require("store")
local rooms = require("rooms")

-- One room. Its state is plain variables: only this process touches them, one message after the other.
local function main(room: string)
  local inbox, events = process.inbox(), process.events()
  local names = {} -- of who is here, by the pid of their event stream
  local said = 0

  local function broadcast(name: string, data)
    for pid in pairs(names) do
      process.send(pid, "feed", { name = name, data = data }) -- one that has just left is no error worth handling
    end
  end

  local function here()
    local list = {}
    for _, name in pairs(names) do
      table.insert(list, name)
    end
    table.sort(list)
    return list
  end

  local function publish(presence: string, name: string)
    local list = here()
    local book, err = store.get(rooms.PRESENCE)
    if err then
      error(err)
    end
    if #list > 0 then
      book:set(rooms.name(room), { room = room, here = list })
    else
      book:delete(rooms.name(room))
    end
    broadcast(presence, { name = name, here = list })
  end

  local on = {}

  function on.join(stream)
    names[stream.pid] = stream.name
    -- From now on the end of the stream's call is an EXIT event, however it ends.
    local _, gone = process.monitor(stream.pid)
    if gone then
      names[stream.pid] = nil -- the client was faster
      return
    end
    publish("joined", stream.name)
  end

  function on.say(message)
    said = said + 1
    local text, err = funcs.call("chat:emoji", message.text)
    broadcast("message", { number = said, from = message.from, text = text or message.text })
    if err then
      logger:warn("no faces today", { error = err:message() })
    end
    -- While the moderator is down its name is free and this fails: the room goes on without.
    process.send("moderator", "review", message)
  end

  function on.warn(text)
    broadcast("notice", { text = text })
  end

  logger:info("room opened", { room = room })
  while true do
    local got = channel.select({
      events:case_receive(),
      inbox:case_receive(),
      default = next(names) == nil, -- with nobody here there is nothing to wait for
    })
    if got.default then
      logger:info("room closed", { room = room, messages = said })
      return said
    elseif got.channel == inbox then
      on[got.value:topic()](got.value:payload():data())
    elseif got.value.kind == process.event.EXIT then
      local name = names[got.value.from]
      names[got.value.from] = nil
      publish("left", name)
    elseif got.value.kind == process.event.CANCEL then
      return said -- the host is being stopped
    end
  end
end

return { main = main }
