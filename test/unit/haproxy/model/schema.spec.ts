import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { haproxy as language, recipes, slot } from "../../../../components";
import { modelFormIssues } from "../../../../components/haproxy/model/schema/index";

const server = { name: "app1", address: "192.0.2.21", port: 80 };
const frontend = { name: "http", binds: [{ port: 80 }], defaultBackend: "app" };
const backend = { name: "app", servers: [server] };
const config = { version: "2.6", frontends: [frontend], backends: [backend] };

/** The issues of a model from plain data, a line each. */
const issuesOf = (data: unknown) => modelFormIssues(data).map(({ path, message }) => `${path}: ${message}`);
const rule = (data: unknown) => issuesOf({ ...config, frontends: [{ ...frontend, httpRequestRules: [data] }] });

describe("the form of a model", () => {
    it("fits every golden model", () => {
        const folder = join(__dirname, "../../../golden/haproxy");
        const models = readdirSync(folder).filter((file) => file.endsWith(".ts"));
        assert.ok(models.length > 15);
        for (const file of models) {
            const { default: model } = require(join(folder, file)) as { default: language.HaproxyConfig };
            assert.deepEqual(issuesOf(model), [], file);
        }
    });

    it("shows the path, what is expected and the value", () => {
        const data = {
            version: 2.6,
            frontends: [{ ...frontend, acls: null, binds: [{ port: "80" }, { port: 80, path: "/run/x" }] }],
            backends: [
                { ...backend, raw: "fullconn 5", servers: [{ ...server, port: 80.5, weight: Number.NaN }, "app2"] },
            ],
            listens: { a: 1 },
        };
        assert.deepEqual(issuesOf(data), [
            'version: expected a release in quotes, like "2.6", got 2.6',
            "frontends[0].acls: expected a list, got null",
            'frontends[0].binds[0].port: expected a whole number from 1 to 65535, got "80"',
            "frontends[0].binds[1]: expected either port or path, got an object with port and path",
            'backends[0].raw: expected a list of texts, got "fullconn 5"',
            "backends[0].servers[0].port: expected a whole number from 1 to 65535, got 80.5",
            "backends[0].servers[0].weight: expected a whole number from 0 to 256, got NaN",
            'backends[0].servers[1]: expected an object, got "app2"',
            "listens: expected a list, got an object with a",
        ]);
    });

    it("refuses unknown keys, at any depth", () => {
        assert.deepEqual(rule({ action: "deny", when: ["{ src 10.0.0.0/8 }"] }), [
            'frontends[0].httpRequestRules[0]: unknown key "when"; remove it, or use action, status, if or unless',
        ]);
        const bind = { port: 443, ssl: { crt: ["/etc/ssl/a.pem"], crtt: "b" } };
        assert.deepEqual(issuesOf({ ...config, frontends: [{ ...frontend, binds: [bind] }], bakends: [] }), [
            'frontends[0].binds[0].ssl: unknown key "crtt"; did you mean crt?',
            ': unknown key "bakends"; did you mean backends?',
        ]);
    });

    it("judges a rule by its action", () => {
        assert.deepEqual(rule({ action: "deny", if: "{ path /x }" }), [
            'frontends[0].httpRequestRules[0].if: expected a list of texts, got "{ path /x }"',
        ]);
        assert.deepEqual(rule({ action: "deny", unless: ["a"] }), []);
        assert.deepEqual(rule({ action: "deny", if: ["a"], unless: ["b"] }), [
            "frontends[0].httpRequestRules[0]: expected either if or unless, got an object with action, if and unless",
        ]);
        assert.deepEqual(rule({ action: "deny", unless: [] }), [
            "frontends[0].httpRequestRules[0].unless: expected at least one term, got an empty list",
        ]);
        for (const blank of [" ", "\t", "''"]) {
            assert.deepEqual(rule({ action: "deny", if: [blank, "a"] }), [
                `frontends[0].httpRequestRules[0].if[0]: expected a term that is not empty, got ${JSON.stringify(blank)}`,
            ]);
        }
        assert.deepEqual(rule({ action: "set-header", name: "X-A" }), [
            "frontends[0].httpRequestRules[0].format: expected text, got nothing",
        ]);
        assert.deepEqual(rule({ action: "redirect" }), [
            "frontends[0].httpRequestRules[0]: expected exactly one of location, prefix and scheme, got an object with action",
        ]);
        assert.deepEqual(rule(5), ["frontends[0].httpRequestRules[0]: expected text or an object, got 5"]);
        const [unknown = "", ...others] = rule({ action: "denny" });
        assert.deepEqual(others, []);
        assert.match(
            unknown,
            /^frontends\[0\]\.httpRequestRules\[0\]\.action: expected "redirect", "allow", .*"deny", .* or one of \d+ others, got "denny"; did you mean "deny"\?$/,
        );
    });

    it("has no blank text, which would vanish from its line", () => {
        assert.deepEqual(issuesOf({ ...config, backends: [{ ...backend, balance: " " }] }), [
            'backends[0].balance: expected text that is not empty, got " "',
        ]);
    });

    it("takes undefined for an option that is not set", () => {
        assert.deepEqual(issuesOf({ ...config, backends: [{ ...backend, options: { forwardfor: undefined } }] }), []);
    });

    it("judges an acl by its criterion", () => {
        const acl = (data: object) =>
            issuesOf({ ...config, frontends: [{ ...frontend, acls: [{ name: "a", ...data }] }] });
        assert.deepEqual(acl({ host: "a.example.com" }), [
            'frontends[0].acls[0].host: expected a list of texts, got "a.example.com"',
        ]);
        for (const data of [{}, { host: ["a"], path: ["/b"] }, { hst: ["a"], x: 1 }]) {
            assert.match(acl(data).join(), /^frontends\[0\]\.acls\[0\]: expected name and exactly one of host, path, /);
        }
        assert.deepEqual(acl({ hots: ["a"] }), ['frontends[0].acls[0]: unknown key "hots"; did you mean host?']);
    });

    it("judges log targets and the metrics", () => {
        const log = (target: object) => issuesOf({ ...config, global: { log: [{ address: "127.0.0.1", ...target }] } });
        assert.deepEqual(log({ length: 80, format: "rfc5424" }), []);
        assert.deepEqual(log({ length: 65_535, format: "raw" }), []);
        assert.deepEqual(log({ length: 79, format: "rfc" }).sort(), [
            'global.log[0].format: expected "rfc3164", "rfc5424", "local", "priority", "short", "timed", "iso" or "raw", got "rfc"',
            "global.log[0].length: expected a whole number from 80 to 65535, got 79",
        ]);
        assert.deepEqual(issuesOf({ ...config, metrics: { bind: { port: 8405 }, uri: "/m" } }), []);
        assert.deepEqual(issuesOf({ ...config, metrics: { bind: { port: 8405 }, refresh: "5s" } }), [
            'metrics: unknown key "refresh"; remove it, or use bind or uri',
        ]);
    });

    it("judges the health page, whose callers may be known later", () => {
        const health = (data: object) => issuesOf({ ...config, health: data });
        assert.deepEqual(
            health({ port: 8407, from: ["192.0.2.11", "192.0.2.0/24", slot("peer")], needs: ["app"] }),
            [],
        );
        assert.deepEqual(health({ port: 0, from: ["lb2", `x${slot("peer")}`], uri: "/" }).sort(), [
            'health.from[0]: expected an IP address, or a network like "192.0.2.0/24", got "lb2"',
            'health.from[1]: expected an IP address, or a network like "192.0.2.0/24", got "x‹peer›"',
            "health.port: expected a whole number from 1 to 65535, got 0",
            'health: unknown key "uri"; remove it, or use port, from or needs',
        ]);
    });

    it("accepts slots in any text, and shows them by name", () => {
        const password = slot("stats-password");
        const stats = { bind: { port: 8404 }, auth: [{ user: "ops", password }] };
        assert.deepEqual(issuesOf({ ...config, stats }), []);
        assert.deepEqual(issuesOf({ ...config, backends: [{ ...backend, raw: `fullconn ${slot("n")}` }] }), [
            'backends[0].raw: expected a list of texts, got "fullconn ‹n›"',
        ]);
    });

    it("shows no value of a key that may hold a secret, whatever its type", () => {
        const hidden = "tops3cret";
        for (const stats of [
            { bind: { port: 8404 }, auth: { user: "ops", password: hidden } },
            { bind: { port: 8404 }, auth: [{ user: "ops", password: [hidden] }] },
            { bind: { port: 8404 }, auth: [{ user: "ops", password: { value: hidden } }] },
            { bind: { port: 8404 }, auth: [[hidden]] },
        ]) {
            const found = issuesOf({ ...config, stats });
            assert.equal(found.length, 1);
            assert.ok(!found.join().includes(hidden), found.join());
        }
        const users = [{ name: "ops", password: 8_173_902 }];
        assert.match(
            issuesOf({ ...config, userlists: [{ name: "u", users }] }).join(),
            /password: expected text, got a number that may be a secret$/,
        );
    });

    it("says that only plain data can be where an Output is, whatever is expected there", () => {
        const output = pulumi.output("leastconn");
        const words = (path: string) => `${path}: an Output; only plain data can be here`;
        const found = (data: object) => issuesOf({ ...config, ...data }).map((line) => line.replace(/ \(.*/, ""));
        assert.deepEqual(found({ defaults: { balance: output } }), [words("defaults.balance")]);
        assert.deepEqual(found({ defaults: output }), [words("defaults")]);
        assert.deepEqual(found({ backends: output }), [words("backends")]);
        assert.deepEqual(found({ defaults: { options: { forwardfor: output } } }), [
            words("defaults.options.forwardfor"),
        ]);
        assert.deepEqual(found({ frontends: [{ ...frontend, httpRequestRules: [output] }] }), [
            words("frontends[0].httpRequestRules[0]"),
        ]);
        assert.deepEqual(found({ frontends: [{ ...frontend, httpRequestRules: [{ action: output }] }] }), [
            words("frontends[0].httpRequestRules[0].action"),
        ]);
        assert.deepEqual(found({ frontends: [{ ...frontend, binds: [{ port: output }] }] }), [
            words("frontends[0].binds[0].port"),
        ]);
        assert.match(issuesOf(output).join("\n"), /^: an Output; only plain data can be here \(Outputs can be .*\)$/);
    });

    it("is judged before anything else at every public entrance, whatever the data", () => {
        for (const data of [
            null,
            undefined,
            5,
            "2.6",
            [],
            { version: "2.6" },
            { ...config, backends: {} },
        ] as never[]) {
            const issues = language.validate(data);
            assert.ok(issues.length > 0);
            assert.ok(issues.every(({ rule: id, severity }) => id === "form" && severity === "error"));
            assert.throws(() => recipes.haproxy(data), /^Error: .*expected/);
            assert.throws(
                () => language.fromServices(data, data, undefined, data),
                /^Error: fromServices: .*(expected|unknown)/,
            );
        }
    });

    it("causes no TypeError, whatever the data", () => {
        const paths = (value: unknown): (string | number)[][] =>
            typeof value === "object" && value !== null
                ? Object.entries(value).flatMap(([key, inner]) => [
                      [key],
                      ...paths(inner).map((rest) => [key, ...rest]),
                  ])
                : [];
        const { default: whole } = require("../../../golden/haproxy/sections") as { default: language.HaproxyConfig };
        const values = fc.oneof(
            fc.anything(),
            fc.constantFrom(null, "x", 5, [], {}, [null], ["x"], { x: 1 }, true),
            fc.constant({ toString: "" }),
        );
        fc.assert(
            fc.property(fc.constantFrom(...paths(whole)), values, (path, value) => {
                const data = structuredClone(whole) as unknown as Record<string, unknown>;
                const last = path.at(-1) as string;
                const owner = path.slice(0, -1).reduce((inner, key) => inner[key] as Record<string, unknown>, data);
                owner[last] = value;
                language.validate(data as unknown as language.HaproxyConfig);
            }),
            { numRuns: 500 },
        );
    });
});
