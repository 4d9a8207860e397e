import assert from "node:assert/strict";
import fc from "fast-check";
import type { Backend, Defaults, Frontend, HaproxyConfig } from "../../../../components/haproxy";
import { hostRequirements } from "../../../../components/haproxy/host/requirements";
import { render } from "../../../../components/haproxy/render/index";
import { sound } from "../../../support/models";

describe("render", () => {
    it("returns equal files for equal models", () => {
        fc.assert(
            fc.property(sound, (config) => {
                assert.equal(
                    render(structuredClone(config), { digest: "d" }).text,
                    render(config, { digest: "d" }).text,
                );
            }),
            { numRuns: 20 },
        );
    });

    it("changes only one line with the digest", () => {
        const config: HaproxyConfig = { version: "2.6", frontends: [], backends: [] };
        const [a, b] = ["one", "two"].map((digest) => render(config, { digest }).text.split("\n")) as [
            string[],
            string[],
        ];
        assert.deepEqual(
            a.filter((line, index) => line !== b[index]),
            ['    set-var proc.cfg str("one")'],
        );
    });

    it("keeps a default when a setting is explicitly undefined", () => {
        const config: HaproxyConfig = {
            version: "2.6",
            global: { maxconn: undefined, chroot: undefined },
            defaults: { timeouts: { connect: undefined } },
            frontends: [],
            backends: [],
        };
        assert.deepEqual(
            render(config, { digest: "d" }),
            render({ ...config, global: {}, defaults: {} }, { digest: "d" }),
        );
    });

    it("sets a log format if anything is logged", () => {
        const raw = ["log 192.0.2.1 local0"];
        const logless = { version: "2.6", global: { log: [] }, backends: [] };
        const named = (change: object, ofFrontend = {}) =>
            render(
                { ...logless, ...change, frontends: [{ name: "http", binds: [{ port: 80 }], ...ofFrontend }] },
                { digest: "d" },
            ).text.includes("option httplog");
        assert.equal(named({}), false);
        assert.equal(named({ global: { log: [], raw } }), true);
        assert.equal(named({ defaults: { raw } }), true);
        assert.equal(named({}, { raw }), true);
    });

    it("adds no option and no expectation that is declared elsewhere", () => {
        const rendered = (defaults: Defaults, frontend: Partial<Frontend> = {}, backend: Partial<Backend> = {}) =>
            render(
                {
                    version: "2.6",
                    defaults,
                    frontends: [{ name: "http", binds: [{ port: 80 }], ...frontend }],
                    backends: [{ name: "app", servers: [], ...backend }],
                },
                { digest: "d" },
            )
                .text.replace(/^[\s\S]*\nfrontend/, "")
                .match(/(no )?option .*|http-check expect .*/g) ?? [];
        const idleClose = "option idle-close-on-response";
        assert.deepEqual(rendered({}), ["option httplog", idleClose]);
        for (const defaults of [
            { options: { httplog: "clf" } },
            { options: { httpslog: true } },
            { raw: ["option  httplog"] },
            { raw: ["log-format x"] },
        ]) {
            assert.deepEqual(rendered(defaults), [idleClose]);
            // These formats are not for mode tcp.
            const tcp = /log-format/.test(JSON.stringify(defaults)) ? [] : ["option tcplog"];
            assert.deepEqual(rendered(defaults, { mode: "tcp" }), tcp);
        }
        assert.deepEqual(rendered({}, { options: { httplog: false } }), [idleClose]);
        assert.deepEqual(rendered({ options: { httplog: true } }, { options: { httplog: false } }), [
            idleClose,
            "no option httplog",
        ]);
        for (const set of [true, false]) {
            assert.deepEqual(rendered({ options: { "idle-close-on-response": set } }), ["option httplog"]);
        }
        assert.deepEqual(
            rendered({ options: { "idle-close-on-response": true } }, { options: { "idle-close-on-response": false } }),
            ["option httplog", "no option idle-close-on-response"],
        );
        const raw = ["http-check expect status 401"];
        assert.deepEqual(rendered({}, {}, { httpchk: { uri: "/" }, raw }).slice(2), ["option httpchk", ...raw]);
    });
});

describe("hostRequirements", () => {
    it("lists what the host must have", () => {
        const servers = ["app1.example.com", "192.0.2.1", "2001:db8::1", "app1.example.com"];
        const needs = hostRequirements({
            version: "2.6",
            global: {
                maxconn: 4000,
                hardStopAfter: "90000",
                chroot: "/srv/haproxy",
                statsSockets: [{ path: "/run/a/x" }, { path: "/run/a/y" }],
            },
            frontends: [
                {
                    name: "http",
                    binds: [{ port: 80 }, { address: "2001:db8::10", port: 443 }],
                    raw: [
                        "bind 127.0.0.1:8081,[::1]:8082 name x",
                        "bind :8083",
                        "bind /run/x.sock",
                        "http-request deny",
                    ],
                },
            ],
            backends: [{ name: "app", servers: servers.map((address, i) => ({ name: `s${i}`, address, port: 80 })) }],
            stats: { bind: { address: "127.0.0.1", port: 8404 } },
        });
        assert.deepEqual(needs, {
            binds: [
                { address: "*", port: 80, mode: "http" },
                { address: "2001:db8::10", port: 443, mode: "http" },
                { address: "127.0.0.1", port: 8081, mode: "tcp" },
                { address: "::1", port: 8082, mode: "tcp" },
                { address: "*", port: 8083, mode: "tcp" },
                { address: "127.0.0.1", port: 8404, mode: "http" },
            ],
            chroot: "/srv/haproxy",
            socketDirectories: ["/run/a"],
            maxconn: 4000,
            fdsNeeded: 2 * 4000 + 2 * (6 + 4) + 1000,
            memoryNeeded: 50 * 4000,
            hardStopAfter: 90,
            serverNames: ["app1.example.com"],
        });
    });

    it("has the same defaults as the rendered file", () => {
        const { chroot, socketDirectories, maxconn } = hostRequirements({
            version: "2.6",
            frontends: [],
            backends: [],
        });
        const text = render({ version: "2.6", frontends: [], backends: [] }, { digest: "d" }).text;
        assert.ok(text.includes(`    chroot ${chroot}\n`));
        assert.ok(text.includes(`    stats socket ${socketDirectories[0]}/`));
        assert.ok(text.includes(`    maxconn ${maxconn}\n`));
    });
});
