import { cases, withBackend } from "./cases";

cases("validate: healthChecks", {
    "check requests that are not HTTP": [
        withBackend({ httpchk: { uri: "health z", host: "http://x" } }),
        "check-request backends[0].httpchk.uri",
        "check-request backends[0].httpchk.host",
    ],
    "valid check requests": [
        withBackend({
            httpChecks: [
                { step: "send", method: "OPTIONS", uri: "*" },
                { step: "expect", match: "status 200" },
                { step: "connect" },
                { step: "send", uri: "http://x/", version: "HTTP/1.1", headers: { host: "x" } },
            ],
        }),
    ],
    "a check by HTTP/1.1 without a host": [
        withBackend({ httpchk: { uri: "/", version: "HTTP/1.1" } }),
        "check-without-host backends[0].httpchk.version",
    ],
    "headers in option httpchk": [
        {
            ...withBackend({ options: { httpchk: "HEAD /h HTTP/1.1\\r\\nHost:\\ x" } }),
            defaults: { options: { httpchk: "GET / HTTP/1.1\r\nHost: x" } },
        },
        "check-hidden-host backends[0].options.httpchk",
        "check-hidden-host defaults.options.httpchk",
    ],
});
