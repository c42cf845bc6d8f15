-- Reads along and warns. It is a service of its own, so that rooms do not depend on it: when it falls over, they hear
-- nothing of that, and a moment later there is a new one under the same name.
local function main(words)
  process.registry.register("moderator")
  local inbox, events = process.inbox(), process.events()
  while true do
    local got = channel.select({ events:case_receive(), inbox:case_receive() })
    if got.channel == events then
      return -- CANCEL: the service is being stopped
    end
    local message = got.value:payload():data()
    local text = message.text:lower()
    if text:find("kaboom", 1, true) then
      error("the moderator has a weak heart") -- on purpose: what else would there be to restart
    end
    for _, word in ipairs(words) do
      if text:find(word, 1, true) then
        process.send(got.value:from(), "warn", message.from .. ", mind your words")
        break
      end
    end
  end
end

return { main = main }
