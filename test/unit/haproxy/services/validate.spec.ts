import assert from "node:assert/strict";
import {
    compileServices,
    fromServices,
    type Service,
    type ServiceRedirect,
} from "../../../../components/haproxy/services/compile";
import { plain, servers, tcp } from "./examples";

/** The rule and path of each issue, of the services and of the model that they are compiled to. */
function issuesOf(...services: Service[]): string[] {
    const { config, validate } = compileServices({ version: "2.6" }, services);
    return validate(config).map(({ rule, path }) => `${rule} ${path}`);
}

describe("the issues of services", () => {
    const other = { ...plain, name: "other", hosts: ["other.test"] };
    const api = { routes: [{ pathPrefixes: ["/api"] }] };
    const cases: Record<string, [Service[], ...string[]]> = {
        "a good service": [[plain]],
        "two services of one name": [[plain, { ...other, name: "shop" }], "duplicate-name services[1].name"],
        "arguments that the protocol ignores": [
            [
                {
                    ...tcp,
                    hosts: ["db.test"],
                    persistence: { by: "cookie" },
                    clientAddress: "x-forwarded-for",
                    default: true,
                },
                { ...other, protocol: "https", routes: [{ paths: ["/a"] }], redirects: [{ to: { scheme: "https" } }] },
            ],
            "not-for-protocol services[0].clientAddress",
            "not-for-protocol services[0].default",
            "not-for-protocol services[0].hosts",
            "not-for-protocol services[0].persistence",
            "not-for-protocol services[1].redirects",
            "not-for-protocol services[1].routes",
        ],
        "a service that no request reaches": [[{ ...plain, hosts: undefined }], "unreachable-service services[0]"],
        "a client timeout, which others share": [
            [
                { ...plain, timeouts: { client: "5m" } },
                { ...tcp, name: "db", timeouts: { client: "5m" } },
            ],
            "shared-client-timeout services[0].timeouts.client",
        ],
        "no servers": [[{ ...plain, servers: [] }], "service-without-servers services[0].servers"],
        "no servers, but answers": [
            [
                { ...plain, servers: [], redirects: [{ to: { host: "new.test" } }] },
                { ...other, servers: [], httpRequestRules: ["return status 404"] },
                { ...other, name: "page", hosts: ["page.test"], servers: [], raw: ["errorfile 503 /etc/503"] },
            ],
        ],
        "only backups": [[{ ...plain, servers: servers.map((one) => ({ ...one, backup: true })) }]],
        "a weight of no server": [[{ ...plain, weights: { s1: 2, s9: 1 } }], "unknown-server services[0].weights"],
        "no weight of any server": [[{ ...plain, weights: { s1: 0, s2: 0 } }], "zero-weights services[0].servers"],
        "protocols that meet on a port": [
            [plain, { ...tcp, name: "db", listen: 80 }, { ...tcp, name: "db2" }, { ...tcp, name: "db3" }],
            "port-conflict services[1].listen",
            "port-conflict services[3].listen",
        ],
        "two defaults of a port": [
            [
                { ...plain, default: true },
                { ...other, default: true },
            ],
            "second-default services[1].default",
        ],
        "routes that are there already": [
            [
                { ...plain, ...api },
                { ...other, hosts: ["SHOP.test", "other.test"], routes: [{ pathPrefixes: ["/x", "/api/"] }] },
                { ...other, name: "third", hosts: ["a.test", "A.test"] },
            ],
            "shadowed-route services[1].routes",
            "shadowed-route services[2]",
        ],
        "a host that another service has": [
            [plain, { ...other, hosts: ["SHOP.test"] }],
            "shadowed-route services[1].hosts",
        ],
        "routes that differ": [
            [
                { ...plain, ...api },
                { ...other, hosts: plain.hosts, routes: [{ ...api.routes[0], methods: ["PUT"] }] },
                { ...other, name: "rest", hosts: plain.hosts },
            ],
        ],
        "what the model has, by its path in the service": [
            [
                {
                    ...plain,
                    servers: [{ name: "s1", address: "http://192.0.2.1" }],
                    check: { uri: "up" },
                    timeouts: { queue: "0" },
                    httpRequestRules: [{ action: "set-header", name: "X A", format: "b" }],
                    serverTls: { caFile: "/etc/ssl/ca.pem" },
                    raw: ["http-request deny if METH_TRACE"],
                },
            ],
            "check-request services[0].check.uri",
            "header-name services[0].httpRequestRules[0].name",
            "raw-before-rules services[0].raw[0]",
            "server-address services[0].servers[0].address",
            "unverified-name services[0].serverTls",
            "zero-duration services[0].timeouts.queue",
        ],
        "raw lines of another kind than the rules of its arguments": [
            [
                {
                    ...plain,
                    redirects: [{ to: { scheme: "https" } }],
                    raw: ["http-response set-header Strict-Transport-Security max-age=31536000"],
                },
            ],
        ],
        "a check that only connects, although another asks": [
            [{ ...plain, check: { uri: "/up" } }, other],
            "connect-only-check services[1]",
        ],
        "a check that is meant to connect": [
            [
                { ...plain, check: { uri: "/up" } },
                { ...other, check: { protocol: "tcp" } },
            ],
        ],
    };
    for (const [title, [services, ...expected]] of Object.entries(cases)) {
        it(`${expected.length === 0 ? "are none for" : "show"} ${title}`, () => {
            assert.deepEqual(issuesOf(...services).sort(), [...expected].sort());
        });
    }

    it("include every search that finds nothing, beside other errors", () => {
        const fail = ({ name }: Service) => {
            throw new Error(`no node for ${name}`);
        };
        const { servers: _, ...searched } = plain;
        const services = [searched, { ...searched, name: "docs", hosts: undefined }];
        const { issues, config } = compileServices({ version: "2.6" }, services, fail);
        assert.deepEqual(
            issues.map(({ rule, path, message }) => [rule, path, rule === "search" ? message : ""]),
            [
                ["search", "services[0]", "no node for shop"],
                ["search", "services[1]", "no node for docs"],
                ["unreachable-service", "services[1]", ""],
            ],
        );
        assert.deepEqual(config, { version: "2.6", frontends: [], backends: [] });
        assert.throws(
            () => fromServices({ version: "2.6" }, services, fail),
            /^Error: services\[0\]: no node for shop\nservices\[1\]: no node for docs\nservices\[1\]: .*$/,
        );
    });

    describe("with redirects", () => {
        const at = (name: string, ...redirects: ServiceRedirect[]): Service => ({
            ...plain,
            name,
            hosts: [`${name}.test`],
            redirects,
        });
        const circle = "redirect-circle services[0].redirects[0]";
        const shopTo = (host: string, rest: object = {}) => ({ to: { host, ...rest } });

        const found: Record<string, [Service[], string]> = {
            "to the same address": [[at("a", { to: {} })], "empty-redirect services[0].redirects[0].to"],
            "into themselves": [[at("a", { pathPrefix: "/a", to: { pathPrefix: "/a/b" } })], circle],
            "into themselves by a host in other case": [
                [at("a", { hosts: ["A.test"], pathPrefix: "/a", to: { host: "a.test", pathPrefix: "/a/b" } })],
                circle,
            ],
            "to each other by hosts": [[at("a", shopTo("B.test")), at("b", shopTo("a.test"))], circle],
            "to each other by paths": [
                [
                    at(
                        "a",
                        { pathPrefix: "/a", to: { pathPrefix: "/b" } },
                        { pathPrefix: "/c", to: { pathPrefix: "/a" } },
                        { pathPrefix: "/b/", to: { pathPrefix: "/a/" } },
                    ),
                ],
                circle,
            ],
            "to a service for any host, and back": [
                [
                    at("a", shopTo("c.test", { pathPrefix: "/x" })),
                    { ...at("rest", { hosts: ["c.test"], ...shopTo("a.test") }), hosts: undefined, default: true },
                ],
                circle,
            ],
            "to https behind a proxy that ends TLS, as another service says": [
                [
                    { ...at("a", { to: { scheme: "https" } }), clientAddress: "x-forwarded-for" },
                    at("b", shopTo("c.test"), { to: { scheme: "https" } }),
                ],
                "redirect-behind-proxy services[1].redirects[1]",
            ],
        };
        for (const [title, [services, expected]] of Object.entries(found)) {
            it(`show those ${title}`, () => {
                assert.deepEqual(issuesOf(...services), [expected]);
            });
        }

        it("are none for redirects that end, or whose target belongs to another route", () => {
            const moved = { ...at("api"), hosts: ["a.test"], routes: [{ pathPrefixes: ["/new"] }] };
            const both: Service = { ...at("a", shopTo("www.a.test")), hosts: ["a.test", "www.a.test"] };
            const any: Service = { ...at("rest", shopTo("www.a.test")), hosts: undefined, default: true };
            for (const services of [
                [both],
                [any],
                [at("a", { to: { scheme: "https", host: "www.a.test" } }, shopTo("b.test"))],
                [at("a", { to: { scheme: "https" } }), at("b", { to: { scheme: "https", host: "a.test" } })],
                [at("a", { pathPrefix: "/old", to: { pathPrefix: "/older" } })],
                [at("a", { pathPrefix: "/old", to: { pathPrefix: "/new" } }), moved],
                [
                    at("a", { hosts: ["b.test"], to: { host: "a.test" } }),
                    at("b", { hosts: ["a.test"], to: { host: "b.test" } }),
                ],
            ] as Service[][]) {
                assert.deepEqual(issuesOf(...services), []);
            }
        });
    });
});
