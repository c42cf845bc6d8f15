-- What the tests call.
local M = {}

function M.echo(...)
  local v = ...
  return v
end
function M.count(...) return select("#", ...) end
function M.all(...) return { ... } end
function M.nothing() end
function M.two() return 1, true end
function M.three() return 1, nil, "dropped" end
function M.fail_text() return nil, "plain text" end
function M.fail_error() return nil, errors.new({ message = "taken", kind = errors.CONFLICT, retryable = true, details = { id = 7 } }) end
function M.fail_without_kind() return nil, errors.new("no kind") end
function M.raise_text() error("boom") end
function M.raise_error() error(errors.new({ message = "gone", kind = errors.NOT_FOUND })) end
function M.change(t)
  t.n = 99
  return t
end
function M.sleep(ms, v)
  time.sleep(ms * time.MILLISECOND)
  return v
end
function M.bag(key)
  local ctx = require("ctx")
  if key == nil then return (ctx.all()) end
  return (ctx.get(key))
end
function M.bag_below(depth, key)
  if depth == 0 then return (M.bag(key)) end
  return (require("funcs").call("test.funcs:bag_below", depth - 1, key))
end
function M.bag_of_process(key) return (process.exec("test.funcs:bag_process", "test.funcs:host", key)) end
function M.bag_from_process(key) return (require("funcs").call("test.funcs:bag", key)) end
function M.bag_spawned(name)
  process.send(name, "bag", require("ctx").all())
end
function M.changes_its_bag()
  local ctx = require("ctx")
  ctx.get("t").n = 99
  ctx.all().t = nil
  return ctx.get("t").n
end
function M.bag_with_more(key, v)
  local exec = require("funcs").new():with_context({ [key] = v })
  return { below = exec:call("test.funcs:bag"), own = require("ctx").all() }
end
function M.actor_id()
  local actor = security.actor()
  return actor and actor:id() or "nobody"
end
function M.flaky(counter)
  local store = require("store").get("test.funcs:counters")
  local n = (store:get(counter) or 0) + 1
  store:set(counter, n)
  if n < 3 then return nil, errors.new({ message = "not yet", kind = errors.UNAVAILABLE, retryable = true }) end
  return n
end
function M.announces(name)
  process.send(name, "began", process.pid())
  time.sleep("20s")
end
function M.drops_a_future() require("funcs").async("test.funcs:announces", "nobody_there") return "ended" end

return M
