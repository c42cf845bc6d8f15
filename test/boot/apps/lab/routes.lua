local http = require("http")

local function hello()
  http.response():write_json({ message = "hello" })
end

-- Waits as long as `?for=` says.
local function slow()
  local time = require("time")
  time.sleep(http.request():query("for") or "1s")
  http.response():write_json({ waited = true })
end

local function fail()
  error("broken on purpose")
end

-- A host function that raises.
local function misuse()
  http.response():set_transfer("no such mode")
end

-- Ended by its limit: nothing here can catch that.
local function spin()
  while true do
    pcall(function()
      while true do
      end
    end)
  end
end

return { hello = hello, slow = slow, fail = fail, misuse = misuse, spin = spin }
