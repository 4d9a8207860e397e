import type { HaproxyConfig } from "../../../components/haproxy/model";

const config: HaproxyConfig = {
    version: "2.6",
    global: { maxconn: 2000, raw: ["tune.bufsize 32768", "nbthread 2"] },
    defaults: { raw: ["errorfile 503 /etc/haproxy/errors/503.http"] },
    frontends: [
        {
            name: "http",
            binds: [{ port: 80 }],
            raw: [
                "bind 127.0.0.1:8081,[::1]:8081",
                "http-request track-sc0 src table rates",
                "acl noisy sc_http_req_rate(0,rates) gt 100",
                'http-request return status 429 content-type text/plain string "slow down" hdr Retry-After 10 if noisy',
                "http-request set-header X-Forwarded-Proto http",
            ],
            useBackends: [{ backend: "sorry", if: ["noisy"] }],
            defaultBackend: "app",
        },
    ],
    backends: [
        {
            name: "app",
            raw: [
                "http-request set-path /clickCount%[path] if !{ path_beg /clickCount }",
                "cookie SRV insert indirect nocache httponly",
                "default-server inter 3s fall 3 rise 2",
                "server legacy 192.0.2.30:80 check cookie legacy",
            ],
            servers: [{ name: "app1", address: "192.0.2.21", port: 30808 }],
        },
        { name: "sorry", raw: ["http-request deny deny_status 429"], servers: [] },
        {
            name: "rates",
            raw: ["stick-table type ipv6 size 100k expire 10m store http_req_rate(10s)"],
            servers: [],
        },
    ],
};

export default config;
