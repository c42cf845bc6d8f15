-- Percent off, by the number of items.
local function main(count: number): number
  if count >= 10 then
    return 5
  end
  return 0
end

return { main = main }
