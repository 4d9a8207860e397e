import { z } from "zod";
import { type FormIssue, flag, formIssues, formOf, matching, text, texts, whole } from "../../forms";
import { isNetwork } from "../../networks";
import { isHostName } from "../model/addresses";
import { defaults, globalShape, metrics, statsShape } from "../model/schema/index";
import { httpRequestRule } from "../model/schema/rules";
import { authorityFile, certificateFile } from "../model/schema/sections";
import { minUp, serverShape, serverTls } from "../model/schema/servers";
import { duration, fileName, lines, port, release } from "../model/schema/values";
import { remembering } from "../remembering";
import { asciiHost } from "./hosts";
import type {
    BasicAuth,
    ClientCertificates,
    HaproxySettings,
    Hsts,
    Persistence,
    PortTls,
    Route,
    Service,
    ServiceCheck,
    ServiceRedirect,
    ServiceServer,
    ServiceTls,
    StatsSettings,
    TlsSettings,
} from "./types";

// The form of services, for data that no compiler has seen. What fields mean is documented at their types, which `formOf` compares
// with the schemas.

/** Key in the stack's Pulumi config, and name of a slot. */
const configKey = matching(
    /^[a-z0-9][a-z0-9.-]{0,62}$/,
    "expected 1 to 63 lower-case letters, digits, dots and hyphens",
);
const hostName = matching(
    (host) => isHostName(asciiHost(host)),
    "expected a host name without scheme, port, path or wildcard",
);
const hostNames = z
    .array(hostName, { message: "expected a list of host names" })
    .min(1, "expected at least one host name");
/** RFC 3986, section 3.3. Without `*`, which would be matched literally but is always meant as a wildcard. */
const urlPath = matching(
    /^\/[A-Za-z0-9._~!$&'()+,;=:@%/-]*$/,
    'expected a path that begins with "/", percent-encoded where a URL needs it',
);
const urlPaths = z.array(urlPath, { message: "expected a list of paths" });
const network = matching(isNetwork, 'expected an IP address, or a network like "192.0.2.0/24"');
/** RFC 9110, section 5.6.2, without the characters that an acl would have to quote; no header in use has them. */
const headerName = matching(/^[A-Za-z0-9_.-]+$/, 'expected a header name of letters, digits and "-"');
/** Removed from every request, it must not be one that HAProxy or each server needs. */
const clientHeader = headerName.refine(
    (name) =>
        !/^(host|connection|content-.*|transfer-encoding|te|upgrade|expect|x-forwarded-(for|proto))$/i.test(
            name.replace(/[^A-Za-z0-9]/g, "-"),
        ),
    { message: "expected a header of your own: requests need this one" },
);
const method = matching(/^[A-Z][A-Z-]*$/, 'expected a method in capitals, like "POST"');

const interval = {
    port: port.optional(),
    inter: duration.optional(),
    fall: whole(1, 1000).optional(),
    rise: whole(1, 1000).optional(),
};
const check = formOf<ServiceCheck>()(
    z.union([
        z.strictObject({
            uri: matching(/^\/\S*$/, 'expected a path that begins with "/" and has no spaces'),
            method: text.optional(),
            host: hostName.optional(),
            expect: text.optional(),
            ...interval,
        }),
        z.discriminatedUnion("protocol", [
            z.strictObject({ protocol: z.literal("tcp"), ...interval }),
            z.strictObject({ protocol: z.enum(["redis", "ldap", "ssl-hello"]), ...interval }),
            z.strictObject({ protocol: z.literal("mysql"), user: text, ...interval }),
            z.strictObject({ protocol: z.literal("pgsql"), user: text, ...interval }),
            z.strictObject({
                protocol: z.literal("smtp"),
                hello: z.enum(["HELO", "EHLO"]).optional(),
                domain: hostName.optional(),
                ...interval,
            }),
        ]),
    ]),
);

const server = formOf<ServiceServer>()(z.strictObject({ ...serverShape, port: serverShape.port.optional() }));

/** Servers that a search has found. */
export const serversForm = formOf<readonly ServiceServer[]>()(z.array(server));

/** How many of the values are set and not empty. */
const declared = (...values: readonly unknown[]) =>
    values.filter((value) => value !== undefined && (typeof value !== "object" || Object.keys(value ?? {}).length > 0))
        .length;

const route = formOf<Route>()(
    z
        .strictObject({
            paths: urlPaths.optional(),
            pathPrefixes: urlPaths.optional(),
            pathRegex: text.optional(),
            headers: z
                .record(
                    headerName,
                    z.union([text, z.literal(true)], { message: "expected the header's value, or true for any value" }),
                )
                .optional(),
            methods: z.array(method, { message: "expected a list of methods" }).optional(),
        })
        .refine(({ paths, pathPrefixes, pathRegex }) => declared(paths, pathPrefixes, pathRegex) <= 1, {
            message: "expected only one of paths, pathPrefixes and pathRegex; make a route of each",
        })
        .refine((conditions) => declared(...Object.values(conditions)) > 0, {
            message: "expected at least one condition: paths, pathPrefixes, pathRegex, headers or methods",
        }),
);

const redirect = formOf<ServiceRedirect>()(
    z.strictObject({
        hosts: hostNames.optional(),
        pathPrefix: urlPath.optional(),
        to: z.strictObject({
            scheme: z.literal("https").optional(),
            host: hostName.optional(),
            pathPrefix: urlPath.optional(),
        }),
        code: z.literal([301, 302, 303, 307, 308]).optional(),
    }),
);

const persistence = formOf<Persistence>()(
    z.discriminatedUnion("by", [
        z.strictObject({ by: z.literal("cookie"), name: text.optional(), secure: flag.optional() }),
        z.strictObject({ by: z.literal("address"), expire: duration.optional() }),
    ]),
);

/** An object with a password: itself, or by name. */
const withPassword = <S extends z.ZodRawShape>(shape: S) =>
    z.union([z.strictObject({ ...shape, passwordSecret: configKey }), z.strictObject({ ...shape, password: text })], {
        message:
            "expected exactly one of password (in a program, a secret) and passwordSecret (in a stack, a key of its config)",
    });

const basicAuth = formOf<BasicAuth>()(
    z.strictObject({
        realm: text.optional(),
        users: z.array(withPassword({ name: text, hashed: flag.optional() })).min(1, "expected at least one user"),
    }),
);

const clients = formOf<ClientCertificates>()(
    z.strictObject({
        authority: fileName,
        verify: z.enum(["required", "optional"]).optional(),
        headers: z
            .record(clientHeader, z.enum(["subject", "commonName", "issuer", "serial", "fingerprint"]))
            .optional(),
    }),
);
const hsts = formOf<Hsts>()(
    z.strictObject({
        maxAge: whole(0, 3_153_600_000).optional(),
        includeSubDomains: flag.optional(),
        preload: flag.optional(),
    }),
);
const minVersion = z.enum(["TLSv1.2", "TLSv1.3"]);
const plainPort = z.enum(["redirect", "serve", "none"]);
const portTlsShape = {
    minVersion: minVersion.optional(),
    alpn: texts.optional(),
    defaultCertificate: fileName.optional(),
    strictSni: flag.optional(),
    clients: clients.optional(),
};
const oneDefault = ({ defaultCertificate, strictSni }: PortTls) => defaultCertificate === undefined || !strictSni;
const eitherDefault = { path: ["strictSni"], message: "expected either defaultCertificate or strictSni" };
const portNumber = matching((key) => /^[1-9]\d{0,4}$/.test(key) && Number(key) <= 65_535, "expected a port as the key");
const tlsSettings = formOf<TlsSettings>()(
    z
        .strictObject({
            ...portTlsShape,
            port: port.optional(),
            profile: z.enum(["intermediate", "modern", "none"]).optional(),
            http: plainPort.optional(),
            hsts: hsts.optional(),
            ports: z
                .record(portNumber, formOf<PortTls>()(z.strictObject(portTlsShape).refine(oneDefault, eitherDefault)))
                .optional(),
        })
        .refine(oneDefault, eitherDefault),
);
const serviceTls = formOf<ServiceTls>()(
    z.strictObject({
        certificates: z.array(fileName).min(1, "expected at least one certificate").optional(),
        http: plainPort.optional(),
        hsts: z.union([hsts, flag.pipe(z.literal(false))]).optional(),
        minVersion: minVersion.optional(),
        clients: clients.optional(),
    }),
);

export const service = formOf<Service>()(
    z.strictObject({
        name: matching(/^[A-Za-z0-9_.-]+$/, 'expected a name of letters, digits, "-", "_" and "."'),
        protocol: z.enum(["http", "https", "tcp"]).optional(),
        tls: z.union([serviceTls, flag.pipe(z.literal(true))]).optional(),
        listen: port.optional(),
        hosts: hostNames.optional(),
        routes: z.array(route).min(1, "expected at least one route").optional(),
        default: flag.optional(),
        port,
        /** None for a service that answers by itself. */
        servers: z.array(server).optional(),
        tag: text.optional(),
        backupFacility: text.optional(),
        minServers: whole(1, 100_000).optional(),
        maxShrinkPercent: whole(0, 100).optional(),
        backups: flag.optional(),
        drain: duration.optional(),
        minUp: minUp.optional(),
        balance: text.optional(),
        weights: z.record(text, whole(0, 256)).optional(),
        slowStart: duration.optional(),
        serverMaxconn: whole(1, 10_000_000).optional(),
        serverTls: serverTls.optional(),
        check: check.optional(),
        persistence: persistence.optional(),
        clientAddress: z.enum(["connection", "x-forwarded-for"]).optional(),
        forwardFor: flag.optional(),
        allow: z.array(network).min(1, "expected at least one network").optional(),
        deny: z.array(network).optional(),
        rateLimit: z.strictObject({ count: whole(1, 1_000_000_000), seconds: whole(1, 86_400).optional() }).optional(),
        basicAuth: basicAuth.optional(),
        redirects: z.array(redirect).optional(),
        timeouts: z
            .strictObject({
                connect: duration.optional(),
                client: duration.optional(),
                server: duration.optional(),
                queue: duration.optional(),
                check: duration.optional(),
                tunnel: duration.optional(),
            })
            .optional(),
        httpRequestRules: z.array(httpRequestRule).optional(),
        raw: lines.optional(),
    }),
);

const { maxconn, tls: _, ...otherGlobals } = globalShape;

/** Fields of {@link HaproxySettings}, also for forms that have more beside them. */
export const settingsShape = {
    version: release.optional(),
    maxconn,
    port: port.optional(),
    hostMap: flag.optional(),
    peersPort: z.union([port, z.literal(false)], { message: "expected a port, or false" }).optional(),
    ipv6: flag.optional(),
    tls: tlsSettings.optional(),
    global: z.strictObject(otherGlobals).optional(),
    defaults: defaults.optional(),
};
const settingsForm = formOf<HaproxySettings>()(z.strictObject(settingsShape));

export const stats = formOf<StatsSettings>()(
    z.strictObject({
        ...statsShape,
        auth: withPassword({ user: text }).optional(),
    }),
);

export { metrics };

export const services = z.array(service).min(1, "expected at least one service");

/** Issues of form in the arguments of `fromServices`. */
export function argumentsFormIssues(
    settings: unknown,
    services: unknown,
    stats: unknown,
    declared: unknown,
    metrics: unknown,
): FormIssue[] {
    const beside = { services, stats, metrics, declared };
    return [...formIssues(settingsForm, settings), ...formIssues(besideSettings, beside)];
}

const besideSettings = z.strictObject({
    services,
    stats: stats.optional(),
    metrics: metrics.optional(),
    declared: z.strictObject({
        certificates: z.array(certificateFile).optional(),
        authorities: z.array(authorityFile).optional(),
    }),
});
const balancedServices = z.strictObject({
    ...settingsShape,
    services,
    stats: stats.optional(),
    metrics: metrics.optional(),
});

/** Issues of form in settings with services, a statistics page and metrics. */
export const balancedServicesFormIssues = remembering((data: unknown): readonly FormIssue[] =>
    formIssues(balancedServices, data),
);
