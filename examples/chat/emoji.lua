local FACES = { [":)"] = "🙂", [":("] = "🙁", ["<3"] = "❤️" }

-- "hi :)" -> "hi 🙂"
local function main(text: string): string
  return (text:gsub("%S+", FACES))
end

return { main = main }
