-- Lets each connection rest between requests, so that two cores are left for what is tested. Asked for each connection and after
-- each answer: load.ts waits for the first one.
local asked = 0
local connections

function init(args)
    connections = tonumber(args[1])
end

function delay()
    asked = asked + 1
    if asked == connections + 1 then
        io.stderr:write("answered\n")
    end
    return 60
end
