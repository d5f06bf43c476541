-- One request in twenty is a POST of 4 KiB, the others are GETs, all on the same connections.
local body = string.rep("x", 4096)
local count = 0

request = function()
  count = count + 1
  if count % 20 == 0 then
    return wrk.format("POST", nil, { ["Content-Type"] = "application/octet-stream" }, body)
  end
  return wrk.format("GET")
end
