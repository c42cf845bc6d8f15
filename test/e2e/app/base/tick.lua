local function main(count)
  assert(count == 1, "the schedule's input arrives")
end

return { main = main }
