import assert from "node:assert/strict";
import fc from "fast-check";
import { slot } from "../../components/convergence/slots";
import { type HaproxyConfig, type HttpRequestRule, slotIssue, validate } from "../../components/haproxy";
import { atLeast } from "../../components/haproxy/model/versions";
import { needsReleases, releases } from "../support/releases";
import { hostileText } from "./hostileText";
import { running } from "./running";

/** Values that HAProxy would read as something else, if they were not escaped. */
const hostileValues = [
    "100% %ci %[src] %{+Q}o %%",
    `it's "quoted" \\"twice\\" \\\\ \\1 \\x41 \\`,
    "'",
    "''''",
    "a  b   c",
    "$HOME ${HOME} #comment; {} () ] [ %]",
    "Ünïcode ✓",
];

/** An app that answers with what it sees of the request's header, in hexadecimal. */
const echo = `defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend echo
    bind 127.0.0.1:9000
    bind [::1]:9000
    http-request return status 200 content-type text/plain lf-string "%[req.fhdr(x-key),hex]"
`;

/** Prints the value of a header of the answer, in hexadecimal. */
const headerOf = (name: string) => `sed -n 's/^${name}: //Ip' /answer | tr -d '\\r\\n' | od -An -v -tx1 | tr -d ' \\n'`;

const text = (hex = "") => Buffer.from(hex, "hex").toString();

/** The rules on requests that take an Input as a header's value. */
const requestRules: Readonly<Record<string, (format: string) => HttpRequestRule[]>> = {
    "set-header": (format) => [{ action: "set-header", name: "X-Key", format }],
    "add-header": (format) => [{ action: "add-header", name: "X-Key", format }],
    "replace-header": (format) => [
        { action: "set-header", name: "X-Key", format: "old" },
        { action: "replace-header", name: "X-Key", match: "^(o)ld$", format },
    ],
    "replace-value": (format) => [
        { action: "set-header", name: "X-Key", format: "old" },
        { action: "replace-value", name: "X-Key", match: "^(o)ld$", format },
    ],
};

for (const release of releases) {
    describe(`values of Inputs on HAProxy ${release.version}`, () => {
        needsReleases();

        it("arrive in headers byte by byte, in every rule", async () => {
            const values = hostileValues.map((value, i) => [`value-${i}`, value] as const);
            const cases = Object.entries(requestRules).flatMap(([rule, rules]) =>
                values.map(([name, value]) => ({ rule, rules: rules(slot(name)), value })),
            );
            const config: Partial<HaproxyConfig> = {
                frontends: cases.map(({ rules }, i) => ({
                    name: `in-${i}`,
                    binds: [{ port: 8000 + i }],
                    httpRequestRules: rules,
                    defaultBackend: "app",
                })),
                backends: [{ name: "app", servers: [{ name: "s", address: "127.0.0.1", port: 9000, check: false }] }],
            };
            const found = await running(
                release,
                config,
                cases.map((_, i) => `curl -s -m 60 http://127.0.0.1:${8000 + i}/`),
                { slots: Object.fromEntries(values), apps: echo },
            );
            assert.deepEqual(
                cases.map(({ rule, value }, i) => [rule, value, text(found[i])]),
                cases.map(({ rule, value }) => [rule, value, value]),
            );
        });

        it("arrive in headers of answers, whatever they are", async () => {
            const value = hostileText.filter(
                (candidate) => slotIssue(candidate, "haproxy-format") === undefined && candidate.trim() === candidate,
            );
            await fc.assert(
                // A line has at most 64 words.
                fc.asyncProperty(fc.array(value, { minLength: 32, maxLength: 32 }), async (values) => {
                    const names = values.map((_, i) => `x-${i}`);
                    const half = names.length / 2;
                    const headers = names.slice(half).map((name) => [name, slot(name)]);
                    const config: Partial<HaproxyConfig> = {
                        frontends: [
                            {
                                name: "http",
                                binds: [{ port: 80 }],
                                httpRequestRules: [{ action: "return", headers: Object.fromEntries(headers) }],
                                httpAfterResponseRules: names
                                    .slice(0, half)
                                    .map((name) => ({ action: "set-header", name, format: slot(name) })),
                            },
                        ],
                    };
                    const slots = Object.fromEntries(names.map((name, i) => [name, values[i] as string]));
                    const [, ...found] = await running(
                        release,
                        config,
                        ["curl -s -m 60 -o /dev/null -D /answer http://127.0.0.1/", ...names.map(headerOf)],
                        { slots },
                    );
                    assert.deepEqual(found.map(text), values);
                }),
                { numRuns: 1, endOnFailure: true },
            );
        });

        it("are addresses and ports of servers: of IPv4, of IPv6, and names", async () => {
            const addresses = { v4: "127.0.0.1", v6: "::1", long: "0:0:0:0:0:0:0:1", name: "localhost" };
            const names = Object.keys(addresses);
            const config: HaproxyConfig = {
                version: release.version,
                frontends: names.map((name, i) => ({
                    name: `in-${name}`,
                    binds: [{ port: 8000 + i }],
                    defaultBackend: name,
                })),
                backends: names.map((name) => ({
                    name,
                    httpRequestRules: [{ action: "set-header", name: "X-Key", format: name }],
                    servers: [{ name: "s", address: slot(`${name}.address`), port: slot("port") as never }],
                })),
                // HAProxy asks them only if a server is resolved by them, or goes down.
                peers: [
                    {
                        name: "tables",
                        peers: [
                            { address: "127.0.0.1", port: 8406 },
                            { name: "other", address: slot("v6.address"), port: slot("port") as never },
                        ],
                    },
                ],
                resolvers: [
                    {
                        name: "dns",
                        nameservers: [{ name: "n", address: slot("v4.address"), port: slot("port") as never }],
                    },
                ],
            };
            // From 3.2 on, HAProxy warns about every section of mailers.
            const mail: Partial<HaproxyConfig> = atLeast(release.version, "3.2")
                ? {}
                : {
                      defaults: {
                          raw: ["mailers mail", "from x@lb.test", "to x@lb.test"].map((end) => `email-alert ${end}`),
                      },
                      mailers: [
                          {
                              name: "mail",
                              mailers: [{ name: "m", address: slot("v6.address"), port: slot("port") as never }],
                          },
                      ],
                  };
            assert.deepEqual(validate({ ...config, ...mail }), []);
            const slots = Object.fromEntries(names.map((name) => [`${name}.address`, addresses[name as "v4"]]));
            const found = await running(
                release,
                { ...config, ...mail },
                names.map((_, i) => `curl -s -m 60 http://127.0.0.1:${8000 + i}/`),
                { slots: { ...slots, port: "9000" }, apps: echo },
            );
            assert.deepEqual(found.map(text), names);
        });
    });
}
