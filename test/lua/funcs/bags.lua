-- lua/ctx.md.
local check = require("check")
local ctx = require("ctx")
local funcs = require("funcs")
local M = {}

function M.get_and_its_faults()
  local v, err = ctx.get("none")
  check.fails("NotFound", "key not found: none", v, err)
  check.eq(err:retryable(), false)
  check.fails("Invalid", nil, ctx.get(""))
  for _, wrong in ipairs({ {}, true }) do check.raises(nil, ctx.get, wrong) end
  check.raises(nil, ctx.get)
end

function M.all_is_empty_without_values()
  local bag, err = ctx.all()
  check.eq(err, nil)
  check.eq(next(bag), nil)
end

function M.what_is_returned_is_a_copy()
  local exec = funcs.new():with_context({ t = { n = 1 } })
  check.eq(exec:call("test.funcs:changes_its_bag"), 1)
end

function M.values_of_other_types_read_as_nil()
  local exec = funcs.new():with_context({ f = print, c = channel.new(), ok = 1, t = { f = print, n = 2 } })
  local bag = exec:call("test.funcs:bag")
  check.eq(bag.f, nil)
  check.eq(bag.c, nil)
  check.eq(bag.ok, 1)
  check.eq(bag.t.n, 2)
  check.eq(bag.t.f, nil)
end

function M.inherited_to_any_depth()
  local exec = funcs.new():with_context({ k = "v" })
  check.eq(exec:call("test.funcs:bag_below", 30, "k"), "v")
  check.eq(exec:call("test.funcs:bag_of_process", "k"), "v", "function to process")
  check.eq(exec:call("test.funcs:from_process", "k"), "v", "process to function")
end

function M.inherited_by_spawns()
  local bags = process.listen("bag")
  process.registry.register("bag_watcher")
  process.with_context({ k = "v" }):spawn("test.funcs:bag_spawned", "test.funcs:host", "bag_watcher")
  check.eq(check.soon(bags).k, "v")
  process.spawn("test.funcs:bag_spawned", "test.funcs:host", "bag_watcher")
  check.eq(check.soon(bags).k, nil, "siblings do not see each other's")
end

function M.siblings_are_isolated()
  local base = funcs.new():with_context({ k = 0 })
  local a, b = base:with_context({ k = 1 }), base:with_context({ k = 2 })
  local one, two = a:async("test.funcs:bag", "k"), b:async("test.funcs:bag", "k")
  check.eq(one:response():receive():data(), 1)
  check.eq(two:response():receive():data(), 2)
  check.eq(base:call("test.funcs:bag", "k"), 0)
  check.eq(next((ctx.all())), nil, "nor has the caller's changed")
end

return M
