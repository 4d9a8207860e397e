-- Requests for each host name given after "--" in turn, 100 a second on each connection at most; ends with one line for load.ts.
local hosts
local sent = 0

function init(args)
    hosts = args
end

function delay()
    return 10
end

function request()
    sent = sent + 1
    return wrk.format("GET", "/", { Host = hosts[sent % #hosts + 1] })
end

function done(summary, latency)
    local e = summary.errors
    local failed = e.connect + e.read + e.write + e.status + e.timeout
    io.write(string.format("result %d %d %.1f\n", summary.requests, failed, latency:percentile(99) / 1000))
end
