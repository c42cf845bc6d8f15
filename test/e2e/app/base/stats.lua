local http = require("http")
local funcs = require("funcs")

-- One function calls another: its span is the child of this one's.
local function main()
  local sum, err = funcs.call("e2e:compute", { 1, 2, 39 })
  if err then
    return nil, err
  end
  http.response():write_json({ sum = sum })
end

return { main = main }
