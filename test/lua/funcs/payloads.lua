-- lua/funcs.md, section 4, and lua/payload.md.
local check = require("check")
local M = {}

local function text(f) return payload.format[f] end

function M.global_and_requirable()
  check.eq(require("payload"), payload)
end

function M.formats_are_constants()
  for name, value in pairs({
    JSON = "json/plain",
    YAML = "yaml/plain",
    STRING = "text/plain",
    BYTES = "application/octet-stream",
    MSGPACK = "application/msgpack",
    GOLANG = "golang/any",
    LUA = "lua/any",
    ERROR = "golang/error",
  }) do
    check.eq(text(name), value)
  end
  check.raises(nil, function() payload.format.JSON = "x" end)
  check.raises(nil, function() payload.format.OTHER = "x" end)
  check.raises(nil, function() payload.new = nil end)
end

function M.new_and_its_format()
  for _, v in ipairs({ 1, "x", true, {}, false }) do
    local p = payload.new(v)
    check.eq(type(p), "userdata")
    check.eq(p:get_format(), "lua/any")
    check.eq(p:data(), v, "the very same value")
    check.eq(p:unmarshal(), v)
    check.eq(tostring(p), "payload{format=lua/any}")
  end
  check.eq(payload.new(nil):data(), nil)
  check.eq(payload.new():data(), nil)
  check.eq(payload.new():get_format(), "lua/any")
  local err = errors.new({ message = "bad", kind = errors.INVALID })
  local p = payload.new(err)
  check.eq(p:get_format(), "golang/error")
  check.eq(tostring(p), "payload{format=golang/error}")
  check.eq(p:data():kind(), "Invalid")
end

local function deep(value)
  check.eq(value.name, "ann")
  check.eq(value.list[2], 2)
  check.eq(value.inner.yes, true)
  check.eq(value.half, 0.5)
end
local VALUE = { name = "ann", list = { 1, 2, 3 }, inner = { yes = true }, half = 0.5 }

function M.json_and_yaml()
  for _, format in ipairs({ "JSON", "YAML" }) do
    local p, err = payload.new(VALUE):transcode(text(format))
    check.eq(err, nil)
    check.eq(p:get_format(), text(format))
    deep(p:data())
    deep(p:unmarshal())
    deep(p:transcode(payload.format.LUA):data())
    local other = format == "JSON" and "YAML" or "JSON"
    deep(p:transcode(text(other)):data())
    check.eq(p:transcode(text(other)):get_format(), text(other))
  end
  for _, v in ipairs({ 1, "text", true, 2.5 }) do
    check.eq(payload.new(v):transcode(payload.format.JSON):data(), v)
    check.eq(payload.new(v):transcode(payload.format.YAML):data(), v)
  end
end

function M.strings_and_bytes()
  for _, format in ipairs({ "STRING", "BYTES" }) do
    local p = payload.new("h\0llo \255"):transcode(text(format))
    check.eq(p:get_format(), text(format))
    check.eq(p:data(), "h\0llo \255")
    check.eq(p:transcode(payload.format.LUA):data(), "h\0llo \255")
  end
end

function M.the_same_format()
  for _, format in ipairs({ "LUA", "JSON", "YAML" }) do
    local p = payload.new(VALUE):transcode(text(format))
    local again = p:transcode(text(format))
    check.eq(again:get_format(), text(format))
    deep(again:data())
  end
end

function M.what_cannot_be_converted()
  local p = payload.new({ f = 1 })
  for _, format in ipairs({ "no/such", payload.format.GOLANG, payload.format.STRING }) do
    local v, err = p:transcode(format)
    check.fails("Internal", nil, v, err)
    check.eq(err:retryable(), false)
  end
  check.raises(nil, p.transcode, p, {})
  check.raises(nil, p.transcode, p)
  check.raises(nil, p.data, {})
end

function M.it_does_not_cross()
  local funcs = require("funcs")
  check.eq(funcs.call("test.funcs:echo", payload.new(1)), nil)
  local inbox = process.inbox()
  process.send(process.pid(), "topic", payload.new(1))
  check.eq(check.soon(inbox):payload():data(), nil)
end

return M
