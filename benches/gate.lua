-- wrk's side of `scripts/bench gate`: every request carries a secret drawn at random from the file that BENCH_SECRETS names,
-- all of which have one length. BENCH_KIND says what is sent: authorize, verify or batch. Prints one line of JSON at the end.
local kind = os.getenv("BENCH_KIND")
local size = tonumber(os.getenv("BENCH_BATCH") or "100")
local secrets, width, count, bodies

local function secret()
  local at = math.random(0, count - 1) * width
  return secrets:sub(at + 1, at + width - 1)
end

local function post(path, body)
  return "POST " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
    .. #body .. "\r\n\r\n" .. body
end

local function question()
  return '{"secret":"' .. secret() .. '","product":"maps","method":"GET","ip":"203.0.113.9"}'
end

local function batch()
  local questions = {}
  for i = 1, size do questions[i] = question() end
  return post("/v1/verify/batch", '{"requests":[' .. table.concat(questions, ",") .. "]}")
end

-- What a proxy sends on behalf of a browser's or a program's request.
local before = "GET /v1/authorize HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Host: seed.example\r\n"
  .. "X-Forwarded-Uri: /maps/tile/12/2200/1343.png?style=day\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"
  .. "User-Agent: maps-sdk/4.2\r\nAccept: */*\r\nX-Api-Key: "

function init()
  math.randomseed(tonumber(os.getenv("BENCH_SEED") or "1"))
  local file = io.open(os.getenv("BENCH_SECRETS"), "rb")
  secrets = file:read("*a")
  file:close()
  width = secrets:find("\n", 1, true)
  count = #secrets / width
  if kind == "batch" then
    -- Made beforehand: putting one together costs the client as much as it costs the server to judge it.
    bodies = {}
    for i = 1, math.max(16, math.floor(100000 / size)) do bodies[i] = batch() end
  end
end

function request()
  if kind == "authorize" then return before .. secret() .. "\r\n\r\n" end
  if kind == "verify" then return post("/v1/verify", question()) end
  return bodies[math.random(#bodies)]
end

function done(summary, latency)
  io.write(string.format('JSON {"requests":%d,"us":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
