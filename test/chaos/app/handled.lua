local env = require("env")
local http_client = require("http_client")
local queue = require("queue")

-- The work of every handler: to have it written down by somebody who outlives this program.
local function written(where, what)
  local response, err = http_client.post(env.get("CHAOS_LEDGER_URL") .. where, { body = what })
  if err then
    return nil, err
  end
  if response.status_code ~= 200 then
    return nil, errors.new({ message = "the ledger does not take it now", kind = errors.UNAVAILABLE, retryable = true })
  end
end

local function job(body)
  local message = queue.message()
  return written("/job/" .. body.n, body.key .. " " .. message:id())
end

local function dead(body)
  return written("/dead/" .. body.n, body.key .. " " .. queue.message():id())
end

local function change(one)
  return written("/change/" .. one.after.id, one.commit_lsn)
end

return { job = job, dead = dead, change = change }
