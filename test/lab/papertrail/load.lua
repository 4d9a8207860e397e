-- Each request has a path of its own: /TAG-N. Each of the connections rests between its requests.
local n = 0
local tag, rest

function init(args)
    tag, rest = args[1], tonumber(args[2])
end

function request()
    n = n + 1
    return wrk.format("GET", "/" .. tag .. "-" .. n)
end

function delay()
    return rest
end
