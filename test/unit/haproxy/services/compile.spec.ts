import assert from "node:assert/strict";
import fc from "fast-check";
import { render } from "../../../../components/haproxy/render/index";
import { compileServices, type Service } from "../../../../components/haproxy/services/compile";
import { balancedServicesFormIssues } from "../../../../components/haproxy/services/schema";
import { isError, validate } from "../../../../components/haproxy/validate/index";
import { compile, lines, plain } from "./subject";

describe("services", () => {
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
                const { config, issuesIn } = compileServices({ version: "2.6" }, [one]);
                assert.doesNotThrow(() => issuesIn(config));
                const form = balancedServicesFormIssues({ version: "2.6", services: [one] });
                if (form.length === 0 && !issuesIn(config).some(isError)) {
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
        assert.deepEqual(validate(config), []);
        const text = render(config, { digest: "d" }).text;
        const { user } = process.cpuUsage(began);
        assert.equal(text.match(/^ {4}server /gm)?.length, 5000);
        // Bound three times what is promised of an idle machine (docs/services.md).
        assert.ok(user / 1000 < 900, `${Math.round(user / 1000)} ms of processor time`);
    });
});
