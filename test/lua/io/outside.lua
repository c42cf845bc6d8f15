-- Where there is no terminal context.
local M = {}

local CALLS = {
  { "write", "x" }, { "print", "x" }, { "eprint", "x" }, { "flush" },
  { "read" }, { "read", 10 }, { "readline" }, { "raw" }, { "raw", false },
}

function M.every_call_says_so()
  local io = require("io")
  for _, call in ipairs(CALLS) do
    local value, err = io[call[1]](call[2])
    check.fails(errors.UNAVAILABLE, "no terminal context", value, err)
    check.eq(value, nil, call[1])
    check.eq(err:retryable(), false, call[1])
  end
end

function M.args_is_an_empty_table()
  local args, more = require("io").args()
  check.eq(type(args), "table")
  check.eq(next(args), nil)
  check.eq(more, nil)
end

--- What the others run: a text of what they found.
function M.report()
  local io = require("io")
  local value, err = io.print("this must not be seen")
  return tostring(value) .. " " .. tostring(err) .. " " .. #io.args()
end

function M.a_process_that_a_program_puts_on_the_host()
  check.eq(process.exec("test.io:report_process", "test.io:terminal"), "nil no terminal context 0")
end

function M.the_standard_io_is_no_global()
  check.eq(rawget(_G or {}, "io"), nil)
  check.raises("module 'io' not found", require, "io")
end

return M
