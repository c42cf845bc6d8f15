local function page()
  local http = require("http")
  http.response():write("page")
end

local function echo(...)
  return { ... }
end

local function fail()
  error(errors.new({ message = "on purpose", kind = errors.CONFLICT }))
end

local function wait(duration)
  local time = require("time")
  time.sleep(duration)
  return "waited"
end

local function fetch(url)
  local http_client = require("http_client")
  local response = assert(http_client.get(url))
  return response.status_code
end

local function who()
  local ctx = require("ctx")
  return (ctx.get("user"))
end

local function say()
  local logger = require("logger")
  logger:info("said", { word = "hello" })
end

return { page = page, echo = echo, fail = fail, wait = wait, fetch = fetch, who = who, say = say }
