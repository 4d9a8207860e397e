import assert from "node:assert/strict";
import fc from "fast-check";
import { fromServices, type Service } from "../../components/haproxy/fromServices";
import { check } from "../../components/haproxy/issues";
import { render } from "../../components/haproxy/render";
import { secretsIn } from "../../components/haproxy/texts";
import { serversFor } from "../../components/search/inventory";

const servers = [
    { name: "s1", address: "192.0.2.21" },
    { name: "s2", address: "192.0.2.22" },
];
const plain: Service = { name: "shop", hosts: ["shop.test"], port: 8080, servers };
const tcp: Service = { name: "shop", protocol: "tcp", port: 5432, servers };

const compile = (...services: Service[]) => fromServices({ version: "2.6" }, services);
const lines = (...services: Service[]) =>
    render(compile(...services), { digest: "d" })
        .split("\n")
        .map((line) => line.trim());

/** What an argument adds to the file of a service, and takes from it. */
function difference(service: Service, base: Service): string[] {
    const [now, before] = [lines(service), lines(base)];
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
            "serverTls with the name of the request, which checks have none of",
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
                "stick on src",
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
            ["timeout server 5m", "timeout tunnel 5m"],
            { ...plain, protocol: "https" },
        ],
        ["httpRequestRules", { httpRequestRules: ["set-header X-A b"] }, ["http-request set-header X-A b"]],
        ["raw", { raw: ["fullconn 100"] }, ["fullconn 100"]],
    ];
    for (const [name, argument, expected, base = plain] of cases) {
        it(`${name} is rendered as lines of its own, and changes nothing else`, () => {
            assert.deepEqual(difference({ ...base, ...argument }, base).sort(), [...expected].sort());
            assert.deepEqual(check(compile({ ...base, ...argument })), []);
        });
    }

    it("sends keep-alives of TCP before the hour of silence is over, where the version can say so", () => {
        const lines = (version: string) => {
            const { frontends, backends } = fromServices({ version }, [{ ...tcp, raw: ["fullconn 100"] }]);
            return [...frontends, ...backends].map(({ raw }) => raw);
        };
        assert.deepEqual(lines("2.2"), [undefined, ["fullconn 100"]]);
        assert.deepEqual(lines("2.3"), [["clitcpka-idle 2m"], ["srvtcpka-idle 2m", "fullconn 100"]]);
    });

    it("keeps its tables over a reload by a port that can be another, or none", () => {
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

    it("basicAuth names secrets, which are in no text", () => {
        const users = [{ name: "ops", passwordSecret: "ops-password" }];
        assert.deepEqual(secretsIn(compile({ ...plain, basicAuth: { users } })), ["ops-password"]);
    });

    it("backupFacility makes backups of the servers found there, and fails unless others are left", () => {
        const nodes = ["fra", "ams"].map((facility, i) => ({
            name: `s-${facility}`,
            address: `192.0.2.${i + 1}`,
            environment: "prod",
            runList: ["shop::app"],
            facility,
        }));
        const find = (backupFacility: string, among = nodes) =>
            serversFor(
                { nodes: among, place: "x" },
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
            /^Error: no server for shop::app is in the backup facility par of x: .* ams, fra/,
        );
        assert.throws(
            () => find("ams", nodes.slice(1)),
            /^Error: every server for shop::app is in the backup facility ams/,
        );
    });

    it("with many values makes several lines, as HAProxy reads only so much of one", () => {
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

describe("services", () => {
    it("are not warned of a mere connect that one of them asks for", () => {
        const asked: Service = { ...plain, check: { uri: "/up" } };
        const other: Service = { ...plain, name: "other", hosts: ["other.test"] };
        const warned = (service: Service) => check(compile(asked, service)).map(({ path }) => path);
        assert.deepEqual(warned(other), ["backends[1].httpchk"]);
        assert.deepEqual(warned({ ...other, check: { protocol: "tcp" } }), []);
    });

    const faultsOf = (...services: Service[]) => {
        try {
            compile(...services);
            return [];
        } catch (error) {
            return (error as Error).message.split("\n");
        }
    };

    it("fail with every fault at once", () => {
        const found = faultsOf(
            {
                ...plain,
                name: "a:b",
                hosts: ["*.shop.test"],
                allow: [],
                deny: ["192.0.2.0/33", "shop.test"],
                weights: { s9: 1 },
                rateLimit: { count: 0 },
                timeouts: { client: "5m" },
                routes: [
                    {},
                    { paths: ["/a"], pathRegex: "b" },
                    { paths: ["/a b"], methods: ["get"], headers: { "X A": "b" } },
                ],
                redirects: [{ to: {} }, { pathPrefix: "/a", to: { pathPrefix: "/a/b" } }],
            },
            { ...tcp, name: "db", persistence: { by: "cookie" }, hosts: ["db.test"], clientAddress: "x-forwarded-for" },
            { name: "none", port: 80, servers: [] },
            { ...plain, name: "backups", hosts: ["b.test"], servers: servers.map((one) => ({ ...one, backup: true })) },
        );
        assert.deepEqual(
            found.map((line) => line.slice(0, line.indexOf(": "))),
            [
                "services[0].name",
                "services[0].timeouts.client",
                "services[0].deny[0]",
                "services[0].deny[1]",
                "services[0].allow",
                "services[0].rateLimit.count",
                "services[0].hosts[0]",
                "services[0].routes[0]",
                "services[0].routes[1]",
                "services[0].routes[2].paths[0]",
                "services[0].routes[2].headers",
                "services[0].routes[2].methods[0]",
                "services[0].redirects[0].to",
                "services[0].redirects[1].to.pathPrefix",
                "services[0].weights",
                "services[1].hosts",
                "services[1].persistence",
                "services[1].clientAddress",
                "services[2]",
                "services[2].servers",
                "services[3].servers",
            ],
        );
    });

    it("fail with every search that finds nothing, beside what else is wrong", () => {
        const fail = ({ name }: Service) => {
            throw new Error(`no node for ${name}`);
        };
        const { servers: _, ...searched } = plain;
        const services = [searched, { ...searched, name: "docs", hosts: ["docs.test", "a b"] }];
        assert.throws(
            () => fromServices({ version: "2.6" }, services, fail),
            /^Error: services\[0\]: no node for shop\nservices\[1\]: no node for docs\nservices\[1\]\.hosts\[1\]: .*$/,
        );
    });

    it("fail for a redirect to the same host in other case, and for an address with a zone", () => {
        const redirects = [{ hosts: ["Shop.test"], pathPrefix: "/a", to: { host: "shop.test", pathPrefix: "/a/b" } }];
        assert.match(
            faultsOf({ ...plain, redirects }).join(),
            /^services\[0\]\.redirects\[0\]\.to\.pathPrefix: .* without end/,
        );
        assert.match(
            faultsOf({ ...plain, deny: ["fe80::1%eth0"] }).join(),
            /^services\[0\]\.deny\[0\]: invalid network/,
        );
    });

    it("fail when no server has a share", () => {
        const none = { s1: 0, s2: 0 };
        assert.match(faultsOf({ ...plain, weights: none }).join(), /^services\[0\]\.weights: weight 0 of every server/);
        assert.deepEqual(faultsOf({ ...plain, weights: { ...none, s2: 1 } }), []);
    });

    it("fail when one is shadowed by another, naming both", () => {
        const other = { ...plain, name: "other" };
        assert.deepEqual(faultsOf(plain, { ...other, hosts: ["SHOP.test", "other.test"] }), [
            "services[1].hosts: service other is shadowed by service shop for SHOP.test: give one of them other hosts or routes",
        ]);
        const api = { routes: [{ pathPrefixes: ["/api"] }] };
        assert.match(
            faultsOf({ ...plain, ...api }, { ...other, routes: [{ pathPrefixes: ["/x", "/api/"] }] }).join(),
            /^services\[1\]\.routes: service other is shadowed by service shop for shop\.test, path \/api: /,
        );
        assert.match(
            faultsOf({ ...plain, default: true }, { ...other, hosts: ["b"], default: true }).join(),
            /other .* shop/,
        );
        assert.deepEqual(faultsOf(plain, { ...other, ...api }), []);
        assert.deepEqual(
            faultsOf({ ...plain, ...api }, { ...other, routes: [{ ...api.routes[0], methods: ["PUT"] }] }),
            [],
        );
    });

    it("fail when protocols meet on a port", () => {
        const found = faultsOf(
            plain,
            { ...tcp, name: "db", listen: 80 },
            { ...tcp, name: "db2" },
            { ...tcp, name: "db3" },
        );
        assert.deepEqual(found, [
            "services[1].listen: port 80 of service db is that of service shop, which has protocol http: give it another",
            "services[3].listen: port 5432 of service db3 is that of service db2, which has protocol tcp: give it another",
        ]);
    });

    it("have rules of one order whatever theirs, where one is more specific than the other", () => {
        const ways: Service[] = [
            { ...plain, name: "a", routes: [{ paths: ["/a"] }] },
            { ...plain, name: "b", routes: [{ pathPrefixes: ["/a/long"] }] },
            { ...plain, name: "c", routes: [{ pathPrefixes: ["/a"], methods: ["PUT"] }] },
            { ...plain, name: "d", routes: [{ pathPrefixes: ["/a"] }] },
            { ...plain, name: "e", routes: [{ pathRegex: "a" }] },
            { ...plain, name: "f" },
            { ...plain, name: "g", hosts: undefined, routes: [{ paths: ["/a/long"] }] },
        ];
        const order = ways.map(({ name }) => name);
        fc.assert(
            fc.property(fc.shuffledSubarray(ways, { minLength: ways.length }), (shuffled) => {
                const [{ useBackends = [] } = {}] = compile(...shuffled).frontends;
                assert.deepEqual(
                    useBackends.map(({ backend }) => backend),
                    order,
                );
            }),
        );
    });

    it("of hostile text give as many lines as of plain text, or are refused", () => {
        const hostile = fc.oneof(
            fc.string({ unit: "binary", maxLength: 20 }),
            fc.constantFrom(
                "a\nuse_backend x",
                "a b",
                "'",
                '"',
                "\\",
                "$HOME",
                "#",
                "{ }",
                "%[src]",
                "-i",
                "\0slot:x\0",
            ),
        );
        const service = (header: string, value: string, realm: string, user: string): Service => ({
            ...plain,
            routes: [{ headers: { [header]: value }, pathRegex: value, methods: [header] }],
            basicAuth: { realm, users: [{ name: user, passwordSecret: "x" }] },
            redirects: [{ pathPrefix: `/${value}`, to: { pathPrefix: `/x${realm}`, host: "b.test" } }],
            deny: [value],
            check: { uri: `/${value}`, host: "b.test" },
        });
        const count = lines({ ...service("A", "b", "c", "d"), deny: ["192.0.2.1"] }).length;
        fc.assert(
            fc.property(hostile, hostile, hostile, hostile, fc.boolean(), (header, value, realm, user, sound) => {
                // Half of the time, all that is judged by its form is in order, so that the rest comes through.
                const base = service(sound ? "A" : header, value, realm, user);
                const one = sound
                    ? { ...base, deny: ["192.0.2.1"], redirects: service("A", "b", "c", "d").redirects }
                    : base;
                if (faultsOf(one).length === 0 && check(compile(one)).every(({ severity }) => severity !== "error")) {
                    assert.equal(lines(one).length, count);
                }
            }),
            { numRuns: 200 },
        );
    });

    it("are 500 of 10 servers each compiled, checked and rendered in a moment", () => {
        const many = Array.from(
            { length: 500 },
            (_, n): Service => ({
                ...plain,
                name: `service-${n}`,
                hosts: [`service-${n}.example.test`],
                check: { uri: "/healthz" },
                servers: Array.from({ length: 10 }, (_, i) => ({
                    name: `s${i}`,
                    address: `10.${n >> 8}.${n & 255}.${i + 1}`,
                })),
            }),
        );
        const began = process.cpuUsage();
        const config = compile(...many);
        assert.deepEqual(check(config), []);
        const text = render(config, { digest: "d" });
        const { user } = process.cpuUsage(began);
        assert.equal(text.match(/^ {4}server /gm)?.length, 5000);
        // Bound three times what is promised of an idle machine (docs/services.md).
        assert.ok(user / 1000 < 900, `${Math.round(user / 1000)} ms of processor time`);
    });
});
