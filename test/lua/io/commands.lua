-- What the commands do: each writes what it found, for the test to compare.
local M = {}
-- Not at the top: one of the commands has not declared it.
local function terminal() return require("io") end

local function describe(value, err)
  if err then return tostring(value) .. " " .. err:kind() .. " " .. tostring(err:retryable()) .. " " .. tostring(err) end
  return string.format("%q", tostring(value))
end

function M.write()
  local io = terminal()
  local ok, more = io.write("a", 1, 2.5, true, nil, "b")
  io.write()
  io.write("\n", tostring(ok), " ", tostring(more), "\n")
  io.write(setmetatable({}, { __tostring = function() return "an object" end }), " ", errors.new("an error"), "\n")
  local raised, why = pcall(io.write, setmetatable({}, { __tostring = function() error("no text", 0) end }))
  io.write(raised, " ", why, "\n")
  io.write(io.flush(), "\n")
end

function M.print()
  local io = terminal()
  io.print("a", 1, nil, "b")
  io.print()
  io.print(io.print(), io.eprint("to", "stderr"))
end

function M.bytes()
  local io = terminal()
  io.write("\0\255\xc3", "\xa4", "\27[1m", "\r\n")
end

function M.order()
  local io = terminal()
  for i = 1, 20 do
    io.write(i, ".")
    coroutine.spawn(function() io.write("s", i, ".") end)
    if i % 5 == 0 then time.sleep("1ms") end
    io.print("p" .. i)
  end
end

function M.much(count)
  local io = terminal()
  local line = string.rep("x", 1023) .. "\n"
  for _ = 1, tonumber(count) do io.write(line) end
  return 3
end

function M.full()
  local io = terminal()
  io.eprint(describe(io.write("x")))
  io.eprint(describe(io.print("x")))
  return 5
end

function M.args(...)
  local io = terminal()
  local from_io = io.args()
  io.print(select("#", ...), #from_io)
  for i = 1, #from_io do io.print(type(select(i, ...)), (select(i, ...)), from_io[i]) end
end

function M.read(...)
  local io = terminal()
  for _, n in ipairs({ ... }) do
    local value
    if n ~= "none" then value = tonumber(n) end
    local text, err = io.read(value)
    io.print(text and #text or "-", describe(text, err))
  end
  io.print((pcall(io.read, {})))
end

function M.lines()
  local io = terminal()
  for _ = 1, 20 do
    local line, err = io.readline()
    io.print(describe(line, err))
    if not line then break end
  end
  io.print(describe(io.readline()))
  io.print(describe(io.read()))
end

function M.copy()
  local io = terminal()
  while true do
    local bytes = io.read(7)
    if not bytes then return end
    io.write(bytes)
  end
end

function M.talk()
  local io = terminal()
  local ticks = 0
  coroutine.spawn(function()
    while true do
      time.sleep("5ms")
      ticks = ticks + 1
    end
  end)
  io.print("ready")
  io.print("one:", (io.read(100)))
  io.print("line:", (io.readline()))
  local done = channel.new(2)
  for i = 1, 2 do
    coroutine.spawn(function() done:send(i .. "=" .. (io.readline())) end)
  end
  io.print("both wait")
  local first = done:receive()
  io.print("in order:", first, (done:receive()))
  io.print("others ran meanwhile:", ticks > 0)
end

function M.raw(how)
  local io = terminal()
  io.print("raw:", describe(io.raw()))
  io.print("key:", (io.read(1)))
  if how == "back" then
    io.print("cooked:", describe(io.raw(false)))
    io.print("line:", (io.readline()))
  end
  io.print("type:", (pcall(io.raw, "yes")))
  if how == "fail" then error("left raw", 0) end
end

function M.outside()
  local io = terminal()
  io.print("inside", describe(io.flush()))
  io.print("process", (process.exec("test.io:report_process", "test.io:host")))
  io.print("function", (funcs.call("test.io:report_function")))
  io.print("inside still", describe(io.flush()))
end

function M.undeclared()
  return nil, (select(2, pcall(require, "io")))
end

return M
