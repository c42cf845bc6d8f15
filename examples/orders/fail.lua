-- GET /fail: 500, an error line, and a span with the exception and this file's line.
local function charge()
  error("the card reader is on fire")
end

local function main()
  charge()
end

return { main = main }
