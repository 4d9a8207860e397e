import assert from "node:assert/strict";
import { slot } from "../../../../components/convergence/slots";
import { hostRequirements } from "../../../../components/haproxy/host/requirements";
import { secretsIn } from "../../../../components/haproxy/model/strings";
import { compileServices, fromServices, type Service } from "../../../../components/haproxy/services/compile";
import { validate } from "../../../../components/haproxy/validate/index";
import { serversFor } from "../../../../components/search/inventory";
import { compile, lines, plain, tcp } from "./examples";

/** The lines that an argument adds to the file of a service, and those it removes; without the profile of TLS, which goldens show. */
function difference(service: Service, base: Service): string[] {
    const profile = /^(# TLS to|ssl-default-)/;
    const [now, before] = [lines(service), lines(base)].map((all) => all.filter((line) => !profile.test(line))) as [
        string[],
        string[],
    ];
    return [
        ...before.filter((line) => line !== "" && !now.includes(line)).map((line) => `- ${line}`),
        ...now.filter((line) => line !== "" && !before.includes(line)),
    ];
}

describe("an argument of a service", () => {
    const check_ = "http-check send meth GET uri";
    const ok = "http-check expect status 200-399";
    const cases: readonly (readonly [string, Partial<Service>, readonly string[], Service?])[] = [
        ["listen", { listen: 81 }, ["- frontend http", "- bind *:80", "frontend http-81", "bind *:81"]],
        ["default", { default: true }, ["default_backend shop"]],
        ["balance", { balance: "leastconn" }, ["balance leastconn"]],
        ["slowStart", { slowStart: "30s" }, ["default-server slowstart 30s"]],
        ["serverMaxconn", { serverMaxconn: 5 }, ["default-server maxconn 5"]],
        [
            "weights",
            { weights: { s2: 9 } },
            ["- server s2 192.0.2.22:8080 check", "server s2 192.0.2.22:8080 check weight 9"],
        ],
        [
            "serverTls",
            { serverTls: { caFile: "/etc/ssl/ca.pem", verifyhost: "shop.test" } },
            ["default-server ssl verify required ca-file /etc/ssl/ca.pem verifyhost shop.test"],
        ],
        [
            "serverTls with a name, which checks ask for too",
            { serverTls: { verify: "none", sni: "str(a.test)" } },
            ["default-server ssl verify none sni str(a.test) check-sni a.test"],
        ],
        [
            "serverTls with the name of the request, which health checks do not have",
            { serverTls: { verify: "none", sni: "req.hdr(host)" } },
            ["default-server ssl verify none sni req.hdr(host)"],
        ],
        [
            "check by HTTP",
            { check: { uri: "/up" } },
            ["option httpchk", `${check_} /up ver HTTP/1.1 hdr Host shop.test`, ok],
        ],
        [
            "check by TCP",
            { check: { protocol: "tcp", inter: "1s", fall: 1 } },
            ["option tcp-check", "tcp-check connect", "default-server inter 1s fall 1"],
        ],
        ["check of redis", { check: { protocol: "redis" } }, ["option redis-check"], tcp],
        [
            "check over TLS",
            { check: { uri: "/up" } },
            [
                "- default-server check-ssl verify none check-sni shop.test",
                "option httpchk",
                `${check_} /up ver HTTP/1.1 hdr Host shop.test`,
                ok,
            ].slice(1),
            { ...plain, protocol: "https" },
        ],
        [
            "check by another port",
            { check: { uri: "/up", host: "check.test", port: 81, expect: "status 204" } },
            [
                "option httpchk",
                `${check_} /up ver HTTP/1.1 hdr Host check.test`,
                "http-check expect status 204",
                "default-server port 81",
            ],
        ],
        [
            "persistence by cookie",
            { persistence: { by: "cookie" } },
            [
                "cookie SRV insert indirect nocache httponly",
                ...["s1 192.0.2.21:8080", "s2 192.0.2.22:8080"].flatMap((server) => [
                    `- server ${server} check`,
                    `server ${server} check cookie ${server.slice(0, 2)}`,
                ]),
            ],
        ],
        [
            "persistence by address",
            { persistence: { by: "address" } },
            [
                "peers fleet",
                `peer "\${HAPROXY_LOCALPEER}" 127.0.0.1:8406`,
                "stick-table type ipv6 size 100k expire 30m peers fleet",
                "stick on src,ipmask(32,64)",
            ],
        ],
        ["forwardFor", { forwardFor: true }, ["option forwardfor"]],
        ["allow", { allow: ["192.0.2.0/24"] }, ["acl allowed src 192.0.2.0/24", "http-request deny if !allowed"]],
        ["deny", { deny: ["2001:db8::1"] }, ["acl denied src 2001:db8::1", "http-request deny if denied"]],
        ["timeouts", { timeouts: { server: "5m", tunnel: "2h" } }, ["timeout server 5m", "timeout tunnel 2h"]],
        ["timeouts of TCP", { timeouts: { client: "5m" } }, ["- timeout client 1h", "timeout client 5m"], tcp],
        [
            "timeout of TLS that is passed through",
            { timeouts: { server: "5m" } },
            ["timeout server 5m", "timeout tunnel 0"],
            { ...plain, protocol: "https" },
        ],
        ["httpRequestRules", { httpRequestRules: ["set-header X-A b"] }, ["http-request set-header X-A b"]],
        ["raw", { raw: ["fullconn 100"] }, ["fullconn 100"]],
    ];
    for (const [name, argument, expected, base = plain] of cases) {
        it(`${name} is rendered to these lines, and changes nothing else`, () => {
            assert.deepEqual(difference({ ...base, ...argument }, base).sort(), [...expected].sort());
            assert.deepEqual(validate(compile({ ...base, ...argument })), []);
        });
    }

    it("sends TCP keep-alives before a session was idle for an hour, if the release can", () => {
        const lines = (version: string) => {
            const { frontends, backends } = fromServices({ version }, [{ ...tcp, raw: ["fullconn 100"] }]);
            return [...frontends, ...backends].map(({ raw }) => raw);
        };
        assert.deepEqual(lines("2.2"), [undefined, ["fullconn 100"]]);
        assert.deepEqual(lines("2.3"), [["clitcpka-idle 2m"], ["srvtcpka-idle 2m", "fullconn 100"]]);
    });

    it("keeps its tables over a reload by a port that can be changed or turned off", () => {
        const limited: Service = { ...plain, persistence: { by: "address" }, rateLimit: { count: 9 } };
        const tables = (peersPort: number | false) => {
            const { peers, backends } = fromServices({ version: "2.6", peersPort }, [limited]);
            return { peers, tables: backends.map(({ stickTable }) => stickTable?.peers) };
        };
        assert.deepEqual(tables(9000), {
            peers: [{ name: "fleet", peers: [{ address: "127.0.0.1", port: 9000 }] }],
            tables: ["fleet", "fleet"],
        });
        assert.deepEqual(tables(false), { peers: undefined, tables: [undefined, undefined] });
    });

    it("listens on IPv6 with ipv6, and so do the statistics page and the metrics unless they have an address", () => {
        const binds = (ipv6: boolean, address?: string) => {
            const stats = { bind: { port: 8404, ...(address && { address }) } };
            const metrics = { bind: { port: 8405, ...(address && { address }) } };
            const services = [plain, { ...tcp, name: "db" }];
            const config = fromServices({ version: "2.2", ipv6 }, services, undefined, stats, undefined, metrics);
            return hostRequirements(config).binds.map((bind) => [bind.address, bind.port, bind.v6only ?? false]);
        };
        const ports = [80, 5432, 8404, 8405];
        const all = ports.flatMap((port) => [
            ["*", port, true],
            ["::", port, true],
        ]);
        assert.deepEqual(binds(true), all);
        assert.deepEqual(binds(true, "127.0.0.1").slice(4), [
            ["127.0.0.1", 8404, false],
            ["127.0.0.1", 8405, false],
        ]);
        assert.deepEqual(
            binds(false),
            ports.map((port) => ["*", port, false]),
        );
    });

    it("metrics are declared beside the statistics page, and issues are at their place", () => {
        const metrics = { bind: { port: 80 }, uri: "metrics" };
        const { config, validate, sourceOf } = compileServices({}, [plain], undefined, undefined, {}, metrics);
        assert.deepEqual(config.metrics, metrics);
        assert.deepEqual(
            validate(config).map(({ rule, path }) => `${rule} ${path}`),
            ["metrics-uri metrics.uri", "open-metrics metrics", "duplicate-bind metrics.bind"],
        );
        assert.equal(sourceOf(config, "metrics.uri"), "metrics.uri");
        assert.throws(
            () => fromServices({}, [plain], undefined, undefined, {}, { bind: { port: 0 } }),
            /^Error: fromServices: metrics\.bind\.port: expected a whole number from 1 to 65535, got 0$/,
        );
    });

    it("basicAuth names secrets, which appear in no text", () => {
        const users = [{ name: "ops", passwordSecret: "ops-password" }];
        assert.deepEqual(secretsIn(compile({ ...plain, basicAuth: { users } })), ["ops-password"]);
    });

    it("basicAuth and the statistics page take a secret itself, too", () => {
        const users = [
            { name: "ops", password: slot("ops.password") },
            { name: "dev", password: slot("dev.password"), hashed: true },
        ];
        const auth = { user: "ann", password: slot("ann.password") };
        const { config, issues } = compileServices({}, [{ ...plain, basicAuth: { users } }], undefined, {
            bind: { port: 8404 },
            auth,
        });
        assert.deepEqual(issues, []);
        assert.deepEqual(config.userlists?.[0]?.users, [
            { name: "ops", password: slot("ops.password"), insecure: true },
            { name: "dev", password: slot("dev.password") },
        ]);
        assert.deepEqual(config.stats?.auth, [auth]);
    });

    it("basicAuth and the statistics page refuse plain text, and say what to use in a program and in a stack", () => {
        const users = [
            { name: "ops", password: "hunter2" },
            { name: "dev", password: "$5$hash", hashed: true },
        ];
        const stats = { bind: { port: 8404 }, auth: { user: "ann", password: "hunter2" } };
        const { config, validate } = compileServices(
            {},
            [plain, { ...plain, name: "b", hosts: ["b.test"], basicAuth: { users } }],
            undefined,
            stats,
        );
        const found = validate(config);
        assert.deepEqual(
            found.map(({ rule, path }) => `${rule} ${path}`),
            [
                "plain-password services[1].basicAuth.users[0].password",
                "plain-hash services[1].basicAuth.users[1].password",
                "plain-password stats.auth.password",
            ],
        );
        for (const { message } of found) {
            assert.match(
                message,
                /in a program, use pulumi\.secret\(…\) or config\.requireSecret\(…\), and in a stack's file passwordSecret$/,
            );
            assert.doesNotMatch(message, /hunter2/);
        }
    });

    it("backupFacility turns the servers found there into backups, and fails if no others are left", () => {
        const nodes = ["fra", "ams"].map((facility, i) => ({
            name: `s-${facility}`,
            address: `192.0.2.${i + 1}`,
            environment: "prod",
            runList: ["shop::app"],
            facility,
        }));
        const find = (backupFacility: string, among = nodes) =>
            serversFor(
                { nodes: among, source: "x" },
                { service: "shop", environment: "prod", port: 80, backupFacility },
            );
        assert.deepEqual(
            find("ams").map(({ name, backup }) => [name, backup]),
            [
                ["s-ams", true],
                ["s-fra", undefined],
            ],
        );
        assert.throws(
            () => find("par"),
            /^Error: no server for shop::app is in the backup facility par of x, .* ams, fra;/,
        );
        assert.throws(
            () => find("ams", nodes.slice(1)),
            /^Error: every server for shop::app is in the backup facility ams/,
        );
    });

    it("with many values is rendered to several lines, because HAProxy limits a line", () => {
        const hosts = Array.from({ length: 300 }, (_, i) => `host-${i}.example.test`);
        const allow = Array.from({ length: 300 }, (_, i) => `192.0.${i % 256}.${i}/32`.replace(/\.\d{3}\//, ".1/"));
        const texts = lines({ ...plain, hosts, allow });
        for (const line of texts) {
            assert.ok(line.length < 2048 && line.split(" ").length <= 64, line);
        }
        for (const value of [...hosts, ...allow]) {
            assert.ok(
                texts.some((line) => line.startsWith("acl ") && line.split(" ").includes(value)),
                value,
            );
        }
    });
});
