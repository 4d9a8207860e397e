import assert from "node:assert/strict";
import {
    compileServices,
    fromServices,
    type Service,
    type ServiceRedirect,
} from "../../../../components/haproxy/services/compile";
import { validate } from "../../../../components/haproxy/validate/index";
import { compile, faultsOf, plain, servers, tcp } from "./subject";

describe("services", () => {
    it("are not warned of a mere connect that one of them asks for", () => {
        const asked: Service = { ...plain, check: { uri: "/up" } };
        const other: Service = { ...plain, name: "other", hosts: ["other.test"] };
        const warned = (service: Service) => validate(compile(asked, service)).map(({ path }) => path);
        assert.deepEqual(warned(other), ["backends[1].httpchk"]);
        assert.deepEqual(warned({ ...other, check: { protocol: "tcp" } }), []);
    });

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
                "services[0].weights",
                "services[1].hosts",
                "services[1].persistence",
                "services[1].clientAddress",
                "services[2]",
                "services[2].servers",
                "services[3].servers",
                "services[0].redirects[1]",
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

    it("fail with the model's faults too, by their places in the services, and none of what is told already", () => {
        const found = faultsOf(
            {
                ...plain,
                hosts: ["shop.test", "*"],
                servers: [{ name: "s1", address: "http://192.0.2.1" }],
                balance: "fair",
                check: { uri: "up" },
                slowStart: "soon",
                timeouts: { client: "1s", server: "soon" },
                persistence: { by: "cookie", name: "a b" },
                forwardFor: true,
                httpRequestRules: ["deny '"],
                raw: ["fullconn '"],
                redirects: [{ to: {} }],
            },
            { ...tcp, name: "db", listen: 80, servers: [] },
            { ...tcp, name: "db" },
            { ...plain, name: "docs", hosts: ["docs.test"], serverMaxconn: 0, weights: { s1: 257 } },
            { ...tcp, name: "mail", port: 25, persistence: { by: "address", expire: "soon" } },
        );
        assert.deepEqual(
            found.map((line) => line.slice(0, line.indexOf(": "))),
            [
                "services[2].name",
                "services[0].timeouts.client",
                "services[0].hosts[1]",
                "services[0].redirects[0].to",
                "services[1].servers",
                "services[1].listen",
                "services[0].timeouts.server",
                "services[0].raw[0]",
                "services[0].httpRequestRules[0]",
                "services[0].balance",
                "services[0].check.uri",
                "services[0].persistence.name",
                "services[0].servers[0].address",
                "services[0].slowStart",
                "services[3].weights",
                "services[3].serverMaxconn",
                "services[4].persistence.expire",
            ],
        );
    });

    it("are warned of certificates that are anybody's, by their own argument", () => {
        const { config, issuesIn } = compileServices({ version: "2.6" }, [
            { ...plain, serverTls: { caFile: "/etc/ssl/ca.pem" } },
        ]);
        assert.deepEqual(
            issuesIn(config).map(({ path, severity }) => [path, severity]),
            [["services[0].serverTls", "warning"]],
        );
    });

    it("leave faults that only the model has to whoever checks it", () => {
        assert.deepEqual(faultsOf({ ...plain, balance: "fair" }), []);
    });

    it("fail for a redirect to the same host in other case, and for an address with a zone", () => {
        const redirects = [{ hosts: ["Shop.test"], pathPrefix: "/a", to: { host: "shop.test", pathPrefix: "/a/b" } }];
        assert.match(faultsOf({ ...plain, redirects }).join(), /^services\[0\]\.redirects\[0\]: .* without end/);
        assert.match(
            faultsOf({ ...plain, deny: ["fe80::1%eth0"] }).join(),
            /^services\[0\]\.deny\[0\]: invalid network/,
        );
    });

    describe("with redirects", () => {
        const at = (name: string, ...redirects: ServiceRedirect[]): Service => ({
            ...plain,
            name,
            hosts: [`${name}.test`],
            redirects,
        });
        const issuesOf = (...services: Service[]) => compileServices({ version: "2.6" }, services).issues;

        it("fail for those that lead to each other without end, once", () => {
            assert.deepEqual(faultsOf(at("a", { to: { host: "B.test" } }), at("b", { to: { host: "a.test" } })), [
                "services[0].redirects[0]: redirects of service a and service b lead on without end (http://a.test/ -> http://b.test/ -> http://a.test/): redirect elsewhere",
            ]);
            const paths = [
                { pathPrefix: "/a", to: { pathPrefix: "/b" } },
                { pathPrefix: "/c", to: { pathPrefix: "/a" } },
                { pathPrefix: "/b/", to: { pathPrefix: "/a/" } },
            ];
            assert.match(
                faultsOf(at("a", ...paths)).join("\n"),
                /^services\[0\]\.redirects\[0\]: [^\n]* without end[^\n]*$/,
            );
            const here = { hosts: ["c.test"], pathPrefix: "/x", to: { host: "a.test" } };
            const rest: Service = { ...at("rest", here), hosts: undefined, default: true };
            const back = at("a", { to: { host: "c.test", pathPrefix: "/x" } });
            assert.match(faultsOf(rest, back).join(), /services\[0\].* service rest and service a lead on/);
        });

        it("only warn of those that may be answered elsewhere: by https, on another port, or by another machine", () => {
            const both = [
                at("a", { to: { scheme: "https", host: "b.test" } }),
                at("b", { to: { scheme: "https", host: "a.test" } }),
            ];
            const moved = { to: { host: "new.test", pathPrefix: "/moved" } };
            const rest: Service = { ...at("rest", moved), hosts: undefined, default: true };
            const port8080 = { ...at("a", { to: { host: "a.test", pathPrefix: "/app" } }), listen: 8080 };
            for (const [services, way] of [
                [both, "http://a.test/ -> https://b.test/ -> https://a.test/"],
                [[rest], "http://*/ -> http://new.test/moved/"],
                [[port8080], "http://a.test/ -> http://a.test/app/"],
            ] as const) {
                const issues = issuesOf(...services);
                assert.deepEqual(
                    issues.map(({ path, severity }) => [path, severity]),
                    [["services[0].redirects[0]", "warning"]],
                );
                const { message = "" } = issues[0] ?? {};
                assert.ok(message.includes(`lead on without end where these come back here (${way}`), message);
            }
            assert.equal(compile(...both).backends[0]?.httpRequestRules?.length, 1);
        });

        it("pass those that come to an end, or that other ways take", () => {
            const api = { ...at("api"), hosts: ["a.test"], routes: [{ pathPrefixes: ["/new"] }] };
            const post = { ...at("post"), hosts: ["p.test"], routes: [{ paths: ["/x"], methods: ["POST"] }] };
            for (const services of [
                [at("a", { to: { scheme: "https", host: "www.a.test" } }, { to: { host: "b.test" } })],
                [at("a", { to: { scheme: "https" } }), at("b", { to: { scheme: "https", host: "a.test" } })],
                [at("a", { pathPrefix: "/old", to: { pathPrefix: "/older" } })],
                [at("a", { to: { pathPrefix: "/new" } }), api],
                [{ ...post, redirects: [{ to: { host: "a.test" } }] }, at("a", { to: { host: "p.test" } })],
                [
                    at("a", { hosts: ["b.test"], to: { host: "a.test" } }),
                    at("b", { hosts: ["a.test"], to: { host: "b.test" } }),
                ],
            ]) {
                assert.deepEqual(issuesOf(...services), []);
            }
        });

        it("warn of one to https that does not ask the proxy that another service is behind", () => {
            const secure = { to: { scheme: "https" as const } };
            const behind = { ...at("a", secure), clientAddress: "x-forwarded-for" as const };
            const found = issuesOf(behind, at("b", { to: { host: "c.test" } }, secure));
            assert.deepEqual(
                found.map(({ path, severity }) => [path, severity]),
                [["services[1].redirects[1]", "warning"]],
            );
            assert.match(found[0]?.message ?? "", /as service a on its port says: give both clientAddress/);
        });
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
});
