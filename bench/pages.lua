-- The pages of a site in turn; BENCH_PAGES has their paths, one a line.
local pages = {}
for path in os.getenv("BENCH_PAGES"):gmatch("[^\n]+") do
  pages[#pages + 1] = path
end
local count = 0

request = function()
  count = count + 1
  return wrk.format("GET", pages[count % #pages + 1])
end
