import fc from "fast-check";
import type { Acl, HaproxyConfig, Mode } from "../../components/haproxy/model";
import { validate } from "../../components/haproxy/validate/index";

const names = ["app", "api-2", "a.b:c", "_x"];
const hosts = ["a.example.com", "B.example", "x-1.y_z.example.org", "localhost"];
const addresses = ["192.0.2.1", "2001:db8::1", "127.0.0.1", "::1"];
const hostile = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("a b", "'\"$HOME#", "\\\\x41", " -i "));
const path = hostile.map((text) => `/${text}`).filter((text) => !/\p{Cc}/u.test(text));
const encodedPath = path.map((text) => encodeURI(text).replace(/[?#]/g, ""));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const port = fc.integer({ min: 1, max: 65_535 });
const oneOrMore = { minLength: 1, maxLength: 3 };

const criterion = fc.oneof(
    fc.record({ host: fc.subarray(hosts, { minLength: 1 }) }),
    fc.record({ path: fc.array(path, oneOrMore) }),
    fc.record({ pathBeg: fc.array(path, oneOrMore) }),
);

const logTarget = fc.record({
    address: fc.constantFrom("/dev/log", "127.0.0.1:514", "[::1]:514"),
    length: maybe(fc.integer({ min: 80, max: 65_535 })),
    format: maybe(fc.constantFrom("rfc3164" as const, "rfc5424" as const, "short" as const, "raw" as const)),
    level: maybe(fc.constantFrom("info" as const, "err" as const)),
});

const balances = { http: ["uri", "hdr(x-id)"], tcp: [] };

/** Models of a mode, with hostile text wherever text is allowed; some have duplicate binds, or invalid paths. */
const modelOf = (mode: Mode): fc.Arbitrary<HaproxyConfig> =>
    fc.record({
        version: fc.constantFrom("2.2", "2.4", "2.6"),
        global: fc.record({
            maxconn: fc.integer({ min: 100, max: 5000 }),
            hardStopAfter: maybe(fc.constant("90s")),
            serverStates: maybe(fc.boolean()),
            log: maybe(fc.array(logTarget)),
        }),
        defaults: fc.record({ mode: fc.constant(mode), retries: maybe(fc.integer({ min: 0, max: 5 })) }),
        frontends: fc.uniqueArray(
            fc.record({
                // From 3.2 on, HAProxy warns about a frontend and a backend of one name.
                name: fc.constantFrom(...names.map((name) => `${name}-in`)),
                binds: fc.array(fc.record({ address: maybe(fc.constantFrom(...addresses, "*")), port }), oneOrMore),
                mode: maybe(fc.constant(mode)),
                maxconn: maybe(fc.integer({ min: 1, max: 10_000 })),
                acls: fc.tuple(...names.map((name) => criterion.map((values): Acl => ({ name, ...values })))),
                useBackends: fc.array(
                    fc.record({ backend: fc.constantFrom(...names), if: fc.subarray([...names, "!app", "METH_GET"]) }),
                    { maxLength: 3 },
                ),
                defaultBackend: maybe(fc.constantFrom(...names)),
            }),
            { ...oneOrMore, selector: ({ name }) => name },
        ),
        backends: fc.tuple(
            ...names.map((name) =>
                fc.record({
                    name: fc.constant(name),
                    balance: maybe(fc.constantFrom("leastconn", "first", "random(2)", ...balances[mode])),
                    httpchk: maybe(fc.record({ uri: path, host: maybe(fc.constantFrom(...hosts)) })),
                    servers: fc.uniqueArray(
                        fc.record({
                            name: fc.constantFrom(...names, ...hosts),
                            address: fc.constantFrom(...addresses),
                            port,
                            check: maybe(fc.boolean()),
                            weight: maybe(fc.integer({ min: 0, max: 256 })),
                            backup: maybe(fc.boolean()),
                            maxconn: maybe(fc.nat(1000)),
                        }),
                        { ...oneOrMore, selector: (server) => server.name },
                    ),
                }),
            ),
        ),
        stats: maybe(fc.record({ bind: fc.record({ port: fc.constantFrom(8404, 80) }), uri: maybe(path) })),
        metrics: maybe(fc.record({ bind: fc.record({ port: fc.constantFrom(8405, 8404) }), uri: maybe(encodedPath) })),
    });

/** Models without an error. */
export const sound = fc
    .constantFrom<Mode>("http", "tcp")
    .chain(modelOf)
    .filter((config) => validate(config).every(({ severity }) => severity !== "error"));
