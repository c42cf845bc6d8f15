return {
  sweep = function(room)
    require("logger"):info("swept", { room = room })
  end,
  broken = function()
    error("broken on purpose")
  end,
  long = function()
    require("time").sleep("10m")
  end,
}
