-- Sends the requests of a file in turn, and counts them by hundredth of a second of the machine's clock.
--     wrk -s load.lua URL -- FILE
-- FILE holds requests, each with a line before it that says how many bytes it has.

local ffi = require("ffi")
ffi.cdef [[
typedef struct { long seconds; long nanoseconds; } moment;
int clock_gettime(int clock, moment *now);
]]

local MONOTONIC = 1
local now = ffi.new("moment")
local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    requests, counts, at = {}, {}, 0
    local file = assert(io.open(arguments[1], "rb"))
    for size in file:lines() do
        table.insert(requests, file:read(tonumber(size)))
    end
end

function request()
    ffi.C.clock_gettime(MONOTONIC, now)
    local bucket = tonumber(now.seconds) * 100 + math.floor(tonumber(now.nanoseconds) / 1e7)
    counts[bucket] = (counts[bucket] or 0) + 1
    at = at % #requests + 1
    return requests[at]
end

function done(summary)
    local errors = summary.errors
    print("errors " .. errors.connect + errors.read + errors.write + errors.status + errors.timeout)
    for _, thread in ipairs(threads) do
        for bucket, count in pairs(thread:get("counts")) do
            print("sent " .. string.format("%d", bucket) .. " " .. count)
        end
    end
end
