-- Nine requests in ten are for one page, the tenth is for one that nobody has asked for before, on the same connections.
local count = 0
local run

init = function()
  -- Every run of wrk has names of its own; its address in memory and the time tell two of the same second apart.
  run = os.time() .. tostring({}):gsub("%W", "")
end

request = function()
  count = count + 1
  if count % 10 == 0 then
    return wrk.format("GET", wrk.path .. "?" .. run .. count)
  end
  return wrk.format("GET")
end
