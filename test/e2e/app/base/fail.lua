local function break_here()
  error("broken on purpose")
end

local function main()
  break_here()
end

return { main = main }
