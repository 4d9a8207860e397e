import assert from "node:assert/strict";
import fc from "fast-check";
import type { Backend, Defaults, Frontend, HaproxyConfig } from "../../../../components/haproxy";
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

    it("keeps states of servers in all sections unless that is turned off, which changes nothing else", () => {
        const rules = { raw: ["http-request deny if { path /x }"] };
        const config: HaproxyConfig = {
            version: "2.6",
            namedDefaults: [{ name: "plain" }, { name: "shared", ...rules }],
            frontends: [{ name: "http", from: "shared", binds: [{ port: 80 }], defaultBackend: "app" }],
            backends: [{ name: "app", from: "shared", servers: [] }],
            stats: { bind: { address: "127.0.0.1", port: 8404 } },
        };
        const linesWith = (serverStates?: boolean) =>
            render({ ...config, global: { serverStates } }, { digest: "d" }).text.split("\n");
        const on = linesWith();
        const sections = on.flatMap((line, i) =>
            line === "    load-server-state-from-file global"
                ? [
                      on
                          .slice(0, i)
                          .filter((each) => /^\S/.test(each))
                          .at(-1),
                  ]
                : [],
        );
        assert.deepEqual(sections, ["defaults plain", "defaults shared", "defaults shared:backends", "defaults"]);
        assert.equal(on.filter((line) => line === "    server-state-file /run/haproxy-fleet/server-states").length, 1);
        assert.deepEqual(linesWith(true), on);
        assert.deepEqual(
            linesWith(false),
            on.filter((line) => !line.includes("server-state")),
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
