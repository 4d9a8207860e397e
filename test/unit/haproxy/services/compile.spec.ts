import assert from "node:assert/strict";
import fc from "fast-check";
import { compileServices, type Defaults, fromServices, render, type Service } from "../../../../components/haproxy";
import { balancedServicesFormIssues } from "../../../../components/haproxy/services/schema";
import { isError } from "../../../../components/haproxy/validate/index";
import { compile, lines, plain, servers, tcp } from "./examples";

describe("services", () => {
    it("do not replace what the stack's defaults declare", () => {
        const rendered = (defaults: Defaults, service: Service) =>
            render(fromServices({ version: "2.6", defaults }, [service]), { digest: "d" })
                .text.split("\n\nfrontend")
                .at(-1)
                ?.match(/(timeout|option|no option|.*idle) .*/g)
                ?.map((line) => line.trim())
                .filter((line) => line !== "option tcplog");
        const backups: Service = {
            ...tcp,
            servers: [
                { name: "s1", address: "192.0.2.21" },
                { name: "s2", address: "192.0.2.22", backup: true },
            ],
        };
        assert.deepEqual(rendered({}, backups), [
            "option clitcpka",
            "timeout client 1h",
            "clitcpka-idle 2m",
            "option srvtcpka",
            "option allbackups",
            "timeout server 1h",
            "timeout tunnel 0",
            "srvtcpka-idle 2m",
        ]);
        const declared: Defaults = {
            timeouts: { client: "5m", server: "6m" },
            options: { clitcpka: false, srvtcpka: false, allbackups: false },
            raw: ["clitcpka-idle 10m", "srvtcpka-idle 10m"],
        };
        assert.deepEqual(rendered(declared, backups), ["timeout tunnel 0"]);
        assert.deepEqual(rendered({ raw: ["timeout client 5m", "timeout server 6m"] }, tcp), [
            "option clitcpka",
            "clitcpka-idle 2m",
            "option srvtcpka",
            "timeout tunnel 0",
            "srvtcpka-idle 2m",
        ]);
    });

    it("set a tunnel timeout only if it does not replace declared timeouts", () => {
        const timeouts = (defaults: Defaults, service: Service) => {
            const [backend] = fromServices({ version: "2.6", defaults }, [service]).backends;
            return backend?.timeouts ?? {};
        };
        const tunnel = { timeouts: { tunnel: "3h" } };
        const https: Service = { name: "tls", protocol: "https", default: true, port: 443, servers };
        assert.deepEqual(timeouts(tunnel, { ...tcp, timeouts: { server: "9m" } }), { tunnel: "0", server: "9m" });
        assert.deepEqual(timeouts(tunnel, { ...tcp, timeouts: { client: "9m" } }), { tunnel: "0", server: "1h" });
        assert.deepEqual(timeouts(tunnel, { ...tcp, timeouts: { client: "9m", tunnel: "2h" } }), {
            tunnel: "2h",
            server: "1h",
        });
        assert.deepEqual(timeouts(tunnel, tcp), { server: "1h" });
        assert.deepEqual(timeouts({}, https), { tunnel: "1h" });
        assert.deepEqual(timeouts(tunnel, https), {});
        assert.deepEqual(timeouts({ timeouts: { server: "9m" } }, https), {});
        assert.deepEqual(timeouts({}, { ...https, timeouts: { server: "9m" } }), { server: "9m" });
    });

    it("are ordered by how specific their routes are, whatever their own order", () => {
        const routed: Service[] = [
            { ...plain, name: "a", routes: [{ paths: ["/a"] }] },
            { ...plain, name: "b", routes: [{ pathPrefixes: ["/a/long"] }] },
            { ...plain, name: "c", routes: [{ pathPrefixes: ["/a"], methods: ["PUT"] }] },
            { ...plain, name: "d", routes: [{ pathPrefixes: ["/a"] }] },
            { ...plain, name: "e", routes: [{ pathRegex: "a" }] },
            { ...plain, name: "f" },
            { ...plain, name: "g", hosts: undefined, routes: [{ paths: ["/a/long"] }] },
        ];
        const order = routed.map(({ name }) => name);
        fc.assert(
            fc.property(fc.shuffledSubarray(routed, { minLength: routed.length }), (shuffled) => {
                const [{ useBackends = [] } = {}] = compile(...shuffled).frontends;
                assert.deepEqual(
                    useBackends.map(({ backend }) => backend),
                    order,
                );
            }),
        );
    });

    it("have as many lines with hostile text as with plain text, or are refused", () => {
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
                // Half of the cases are well-formed, so that they get past the schema.
                const base = service(sound ? "A" : header, value, realm, user);
                const one = sound
                    ? { ...base, deny: ["192.0.2.1"], redirects: service("A", "b", "c", "d").redirects }
                    : base;
                const { config, validate } = compileServices({ version: "2.6" }, [one]);
                assert.doesNotThrow(() => validate(config));
                const form = balancedServicesFormIssues({ version: "2.6", services: [one] });
                if (form.length === 0 && !validate(config).some(isError)) {
                    assert.equal(lines(one).length, count);
                }
            }),
            { numRuns: 200 },
        );
    });
});
