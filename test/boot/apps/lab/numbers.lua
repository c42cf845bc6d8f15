local http = require("http")
local metrics = require("metrics")

-- Metrics of the app itself: good ones, one that no counter takes, and more series than the cap allows.
local function main()
  metrics.counter_add("lab_good_total", 2.5, { kind = "a" })
  metrics.gauge_set("lab_level", 7)
  metrics.histogram("lab_sizes", 3)
  local refused, err = metrics.counter_add("lab_good_total", -1, { kind = "a" })
  for i = 1, 80 do
    metrics.counter_inc("lab_many_total", { n = tostring(i) })
  end
  http.response():write_json({ refused = refused == nil, kind = err and err:kind() })
end

return { main = main }
