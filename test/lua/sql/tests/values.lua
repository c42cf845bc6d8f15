-- lua/sql.md, section 4.
local check = require("check")
local sql = require("sql")

local function main()
  local db, q, kind = check.open()
  local pg = kind == "postgres"
  check.table(db, "typed", "i bigint, f " .. (pg and "double precision" or "real") .. ", t text, b " .. (pg and "bytea" or "blob")
    .. ", o boolean, at timestamp, d date")
  local insert = q("INSERT INTO typed VALUES (?, ?, ?, ?, ?, ?, ?)")
  assert(db:execute(insert, { 42, 2.5, "text", sql.as.binary("\255\0"), true, "2024-02-29 23:59:59.123456", "2024-02-29" }))
  local row = assert(db:query("SELECT * FROM typed"))[1]
  check.equal(row.i, 42, "integer")
  check.equal(math.type(row.i), "integer", "integer")
  check.equal(row.f, 2.5, "double")
  check.equal(math.type(row.f), "float", "double")
  check.equal(row.t, "text", "text")
  check.equal(row.b, "\255\0", "bytes")
  check.equal(#row.b, 2, "bytes")
  check.equal(row.o, true, "boolean")
  check.equal(row.at, "2024-02-29T23:59:59.123456Z", "timestamp")
  check.equal(row.d, "2024-02-29T00:00:00Z", "date")

  local count = assert(db:query("SELECT count(*) AS n FROM typed"))[1].n
  check.equal(count, 1, "count")
  check.equal(math.type(count), "integer", "count")
  local big = assert(db:query("SELECT 9007199254740991 AS a, 9007199254740993 AS b, 9223372036854775807 AS c, -9007199254740993 AS d"))[1]
  check.equal(big.a, 2 ^ 53 - 1, "the last exact number")
  check.equal(big.b, "9007199254740993", "beyond it: text")
  check.equal(big.c, "9223372036854775807", "64 bits")
  check.equal(big.d, "-9007199254740993", "negative")
  -- Decimal text goes back as it came.
  assert(db:execute(pg and "UPDATE typed SET i = $1::bigint" or "UPDATE typed SET i = ?", { big.c }))
  check.equal(assert(db:query("SELECT i FROM typed"))[1].i, big.c, "there and back")
  if pg then
    local n = assert(db:query("SELECT 12345678901234567890.12345::numeric AS n, '2024-07-01 12:00:00.000001+02'::timestamptz AS at"))[1]
    check.equal(n.n, "12345678901234567890.12345", "numeric")
    check.equal(n.at, "2024-07-01T10:00:00.000001Z", "with a zone")
  end
  assert(db:execute(q("UPDATE typed SET i = ?, f = ?, t = ?, b = ?, o = ?, at = ?, d = ?"), { [7] = sql.NULL }))
  check.equal(next(assert(db:query("SELECT * FROM typed"))[1] or { 1 }), nil, "all NULL: an empty row")
end

return { main = main }
