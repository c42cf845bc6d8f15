local http = require("http")
local sql = require("sql")

local function insert(db, batch, ids)
  local tx, err = db:begin()
  if err then
    return nil, err
  end
  for _, id in ipairs(ids) do
    -- An earlier try may have been committed though nobody heard of it.
    local _, failure = tx:execute("INSERT INTO items (id, batch) VALUES ($1, $2) ON CONFLICT DO NOTHING", { id, batch })
    if failure then
      return nil, failure
    end
  end
  return tx
end

-- One transaction for all the rows; before it one that is rolled back, which nobody may ever see.
local function main()
  local wanted = http.request():body_json()
  local db, err = sql.get("chaos:db")
  if err then
    return nil, err
  end
  if wanted.undone then
    local undone, failure = insert(db, wanted.batch, { -wanted.batch })
    if failure then
      return nil, failure
    end
    local _, problem = undone:rollback()
    if problem then
      return nil, problem
    end
  end
  local tx, failure = insert(db, wanted.batch, wanted.ids)
  if failure then
    return nil, failure
  end
  local _, problem = tx:commit()
  if problem then
    return nil, problem
  end
  http.response():set_status(http.STATUS.CREATED)
end

return { main = main }
