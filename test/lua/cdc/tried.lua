local cdc = require("cdc")

-- What the module says under the policies of the caller.
return {
  main = function(id)
    local source, source_err = cdc.source(id)
    local stream, stream_err = cdc.stream(id)
    local listed = {}
    for i, one in ipairs(cdc.list_sources()) do listed[i] = one.id end
    return {
      source = source and source.id or source_err:kind() .. ": " .. source_err:message(),
      stream = stream and "stream" or stream_err:kind() .. ": " .. stream_err:message(),
      listed = table.concat(listed, " "),
    }
  end,
}
