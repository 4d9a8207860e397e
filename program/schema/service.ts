import { z } from "zod";
import { isHostName } from "../../components/haproxy/model/addresses";
import type { Service } from "../../components/haproxy/services/types";
import { address, matching, name, port, runListEntry } from "../../components/search/nodeSchema";

export const text = matching(/./s, "expected text that is not empty");
export const absolutePath = matching(/^\/\S*$/, 'expected a path that begins with "/" and has no spaces');
export const configKey = matching(
    /^[a-z0-9][a-z0-9.-]{0,62}$/,
    "expected 1 to 63 lower case letters, digits, dots and hyphens",
);
const hostName = z
    .string({ message: "expected a host name without scheme, port, path or wildcard" })
    .refine(isHostName, { message: "expected a host name without scheme, port, path or wildcard" });
const hostNames = z.array(hostName).min(1, { message: "expected at least one host name" });
const duration = matching(/^\d+(us|ms|s|m|h|d)$/, 'expected a duration like "30s", with us, ms, s, m, h or d');
const whole = (min: number, max: number) => {
    const message = `expected a whole number from ${min} to ${max}`;
    return z.int({ message }).min(min, { message }).max(max, { message });
};

/** Keywords `timeout`. */
const serviceTimeouts = {
    connect: duration.optional(),
    client: duration.optional(),
    server: duration.optional(),
    queue: duration.optional(),
    check: duration.optional(),
    tunnel: duration.optional(),
};
export const timeouts = { ...serviceTimeouts, httpRequest: duration.optional(), httpKeepAlive: duration.optional() };

const interval = {
    port: port.optional(),
    inter: duration.optional(),
    fall: whole(1, 1000).optional(),
    rise: whole(1, 1000).optional(),
};
const check = z.union(
    [
        z.strictObject({
            uri: absolutePath,
            method: text.optional(),
            host: hostName.optional(),
            expect: text.optional(),
            ...interval,
        }),
        z.strictObject({ protocol: z.enum(["tcp", "redis", "ldap", "ssl-hello"]), ...interval }),
        z.strictObject({ protocol: z.enum(["mysql", "pgsql"]), user: text, ...interval }),
        z.strictObject({
            protocol: z.literal("smtp"),
            hello: z.enum(["HELO", "EHLO"]).optional(),
            domain: hostName.optional(),
            ...interval,
        }),
    ],
    {
        message:
            "expected uri that begins with / (and method, host, expect), or protocol tcp, redis, ldap, ssl-hello, mysql or pgsql " +
            "(both with user) or smtp (and hello, domain); and port, inter, fall, rise",
    },
);

const serverTls = z.strictObject({
    verify: z.enum(["required", "none"]).optional(),
    caFile: absolutePath.optional(),
    verifyhost: hostName.optional(),
    sni: text.optional(),
    alpn: z.array(text).optional(),
    crt: absolutePath.optional(),
});

const server = z.strictObject({
    name,
    address,
    port: port.optional(),
    weight: whole(0, 256).optional(),
    backup: z.boolean().optional(),
    cookie: text.optional(),
});

const route = z.strictObject({
    paths: z.array(absolutePath).optional(),
    pathPrefixes: z.array(absolutePath).optional(),
    pathRegex: text.optional(),
    headers: z
        .record(
            text,
            z.union([text, z.literal(true)], { message: "expected the header's value, or true for any value" }),
        )
        .optional(),
    methods: z.array(text).optional(),
});

const redirect = z.strictObject({
    hosts: hostNames.optional(),
    pathPrefix: absolutePath.optional(),
    to: z.strictObject({
        scheme: z.literal("https", { message: 'expected "https"' }).optional(),
        host: hostName.optional(),
        pathPrefix: absolutePath.optional(),
    }),
    code: z.literal([301, 302, 303, 307, 308]).optional(),
});

/** Shape of a service; what its fields mean is said where they are used, and in docs/services.md. */
export const service = z.strictObject({
    name,
    protocol: z.enum(["http", "https", "tcp"], { message: "expected http, https or tcp" }).optional(),
    listen: port.optional(),
    hosts: hostNames.optional(),
    routes: z.array(route).min(1, { message: "expected at least one route" }).optional(),
    default: z.boolean().optional(),
    port,
    servers: z.array(server).min(1, { message: "expected at least one server" }).optional(),
    tag: runListEntry.optional(),
    backupFacility: name.optional(),
    minServers: whole(1, 100_000).optional(),
    maxShrinkPercent: whole(0, 100).optional(),
    drain: duration.optional(),
    balance: text.optional(),
    weights: z.record(name, whole(0, 256)).optional(),
    slowStart: duration.optional(),
    serverMaxconn: whole(1, 10_000_000).optional(),
    serverTls: serverTls.optional(),
    check: check.optional(),
    persistence: z
        .union(
            [
                z.strictObject({ by: z.literal("cookie"), name: text.optional(), secure: z.boolean().optional() }),
                z.strictObject({ by: z.literal("address"), expire: duration.optional() }),
            ],
            { message: 'expected by "cookie" (and name, secure) or by "address" (and expire)' },
        )
        .optional(),
    clientAddress: z.enum(["connection", "x-forwarded-for"]).optional(),
    forwardFor: z.boolean().optional(),
    allow: z.array(text).optional(),
    deny: z.array(text).optional(),
    rateLimit: z.strictObject({ count: whole(1, 1_000_000_000), seconds: whole(1, 86_400).optional() }).optional(),
    basicAuth: z
        .strictObject({
            realm: text.optional(),
            users: z.array(z.strictObject({ name: text, passwordSecret: configKey, hashed: z.boolean().optional() })),
        })
        .optional(),
    redirects: z.array(redirect).optional(),
    timeouts: z.strictObject(serviceTimeouts).optional(),
    httpRequestRules: z.array(text).optional(),
    raw: z.array(text).optional(),
}) satisfies z.ZodType<Service>;
