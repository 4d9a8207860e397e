import { otherOptions } from "../../../../components/haproxy";
import { backend, cases, frontend, good, server, withFrontend } from "./cases";

cases("validate: strings", {
    "a good model": [good],
    "a release that is too old": [{ ...good, version: "1.8" }, "version version"],
    "a release with a patch level": [{ ...good, version: "2.6.12" }, "form version"],

    "line breaks and control characters, in keys too": [
        withFrontend({
            raw: ["option x\n    stats admin if TRUE"],
            options: otherOptions({ "httplog\n    stats": true }),
            httpRequestRules: [
                { action: "set-header", name: "X-A", format: "a\x7f" },
                { action: "return", body: "two\nlines" },
            ],
            tcpRequestRules: ["content accept\nx"],
        }),
        "control-character frontends[0].raw[0]",
        "control-character frontends[0].options",
        "control-character frontends[0].httpRequestRules[0].format",
        "control-character frontends[0].tcpRequestRules[0]",
    ],
    "tabs between words, and a line break at the end": [
        withFrontend({ raw: ["acl\ta\tpath\t/x\n"], httpRequestRules: ["deny if\ta\r\n"] }),
    ],
    "names that HAProxy refuses, or cuts at #": [
        {
            ...good,
            frontends: [{ ...frontend, name: "my site", acls: [{ name: "a b", criterion: "src 192.0.2.1" }] }],
            backends: [
                {
                    ...backend,
                    servers: [{ ...server, name: "ä/1" }],
                    serverTemplates: [{ prefix: "t#", count: 1, fqdn: "a.test", port: 80 }],
                },
            ],
            resolvers: [{ name: "dns#1", nameservers: [{ name: "a'", address: "192.0.2.53" }] }],
            peers: [
                {
                    name: "pair",
                    peers: [
                        { address: "192.0.2.1", port: 1024 },
                        { name: "b#", address: "b", port: 1 },
                    ],
                },
            ],
        },
        "name frontends[0].name",
        "name frontends[0].acls[0].name",
        "name backends[0].servers[0].name",
        "name backends[0].serverTemplates[0].prefix",
        "name resolvers[0].name",
        "name resolvers[0].nameservers[0].name",
        "name peers[0].peers[1].name",
    ],
});
