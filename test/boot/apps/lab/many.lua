local http = require("http")
local funcs = require("funcs")

-- `?calls=` calls of another function: as many spans below this one's.
local function main()
  for _ = 1, tonumber(http.request():query("calls")) do
    funcs.call("lab:nothing")
  end
  http.response():write_json({ done = true })
end

local function nothing()
end

return { main = main, nothing = nothing }
