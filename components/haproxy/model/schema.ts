import { z } from "zod";
import { type FormIssue, formIssues, formOf, matching, whole } from "../../forms";
import { remembering } from "../remembering";
import type { Bind, BindTls, PortBind, SocketBind } from "./binds";
import { type Defaults, type Global, type HaproxyConfig, logFacilities, logLevels, type Stats } from "./config";
import type { MapFile } from "./files";
import type { HttpCheck, Httpchk, ProtocolCheck, TcpCheck } from "./healthChecks";
import type { Options } from "./options";
import type { Cookie, StickRule, StickTable } from "./persistence";
import type { Acl, Backend, Frontend, Listen, ProxySection, Timeouts } from "./proxies";
import type {
    HttpAfterResponseRule,
    HttpRequestRule,
    HttpResponseRule,
    TcpRequestRule,
    TcpResponseRule,
} from "./rules";
import type { Cache, HttpErrors, Mailers, Peers, Resolvers, Userlist } from "./sections";
import type { Server, ServerOptions, ServerTemplate, ServerTls } from "./servers";

// The form of the model, for data that no compiler has seen. What fields mean is said at their types, which `formOf` holds these to.

export const flag = z.boolean({ message: "expected true or false" });
/** Text that says something: an argument that is empty or blank would vanish from its line. */
export const text = z.string({ message: "expected text" }).regex(/\S/, { message: "expected text that is not empty" });
export const texts = z.array(text, { message: "expected a list of texts" });
/** Lines as written. An empty one does no harm. */
export const lines = z.array(z.string({ message: "expected text" }), { message: "expected a list of texts" });
const any = z.string({ message: "expected text" });
export const port = whole(1, 65_535);
const count = whole(0, 2_147_483_647);
const atLeastOne = whole(1, 2_147_483_647);
const status = whole(200, 599);
const mode = z.enum(["http", "tcp"]);
/** Their names are left to the daemon, so that {@link otherOptions} can hold those of a newer one. */
const options = z.record(z.string(), z.union([flag, any]).optional()) as unknown as z.ZodType<Options>;

/** HAProxy stops to read a line at an empty word, and a condition without terms never holds. */
const term = z.string({ message: "expected text" }).regex(/[^\s"']/, { message: "expected a term that is not empty" });
const terms = z.array(term, { message: "expected a list of texts" });

/** A strict object with the fields of {@link Conditional}. */
const conditional = <S extends z.ZodRawShape>(shape: S) =>
    z
        .strictObject({ ...shape, if: terms.optional(), unless: terms.min(1, "expected at least one term").optional() })
        .refine((rule: { if?: unknown; unless?: unknown }) => rule.if === undefined || rule.unless === undefined, {
            message: "expected either if or unless",
        });

export const release = matching(/^\d{1,3}\.\d{1,3}$/, 'expected a release in quotes, like "2.6"');

const timeoutShape = {
    connect: text.optional(),
    client: text.optional(),
    server: text.optional(),
    httpRequest: text.optional(),
    httpKeepAlive: text.optional(),
    queue: text.optional(),
    check: text.optional(),
    tunnel: text.optional(),
    clientFin: text.optional(),
    serverFin: text.optional(),
    tarpit: text.optional(),
};
const timeouts = formOf<Timeouts>()(z.strictObject(timeoutShape));

const bindTls = formOf<BindTls>()(
    z.strictObject({
        crt: texts,
        alpn: texts.optional(),
        caFile: text.optional(),
        verify: z.enum(["none", "optional", "required"]).optional(),
        sslMinVer: z.enum(["TLSv1.2", "TLSv1.3"]).optional(),
        strictSni: flag.optional(),
    }),
);
const bindOptions = {
    name: text.optional(),
    maxconn: count.optional(),
    acceptProxy: flag.optional(),
    ssl: bindTls.optional(),
    raw: any.optional(),
};
export const portBind = formOf<PortBind>()(
    z.strictObject({
        address: z.union([text, texts]).optional(),
        port,
        portEnd: port.optional(),
        v6only: flag.optional(),
        interface: text.optional(),
        transparent: flag.optional(),
        ...bindOptions,
    }),
);
const socketBind = formOf<SocketBind>()(
    z.strictObject({
        path: text,
        mode: text.optional(),
        user: text.optional(),
        group: text.optional(),
        ...bindOptions,
    }),
);
const bind = formOf<Bind>()(z.union([portBind, socketBind], { message: "expected either port or path" }));

export const serverTls = formOf<ServerTls>()(
    z.strictObject({
        verify: z.enum(["required", "none"]).optional(),
        caFile: text.optional(),
        verifyhost: text.optional(),
        sni: text.optional(),
        alpn: texts.optional(),
        crt: text.optional(),
    }),
);
const serverOptionShape = {
    check: flag.optional(),
    checkPort: port.optional(),
    inter: text.optional(),
    fall: atLeastOne.optional(),
    rise: atLeastOne.optional(),
    weight: whole(0, 256).optional(),
    backup: flag.optional(),
    maxconn: count.optional(),
    slowstart: text.optional(),
    onMarkedDown: z.literal("shutdown-sessions").optional(),
    onMarkedUp: z.literal("shutdown-backup-sessions").optional(),
    observe: z.enum(["layer4", "layer7"]).optional(),
    sendProxy: z.union([flag, z.literal("v2")], { message: 'expected true, false or "v2"' }).optional(),
    ssl: z.union([serverTls, z.literal(false)], { message: "expected an object, or false" }).optional(),
    resolvers: text.optional(),
    initAddr: text.optional(),
    raw: any.optional(),
};
const serverOptions = formOf<ServerOptions>()(z.strictObject(serverOptionShape));
export const serverShape = { name: text, address: text, port, cookie: text.optional(), ...serverOptionShape };
const server = formOf<Server>()(z.strictObject(serverShape));
const serverTemplate = formOf<ServerTemplate>()(
    z.strictObject({ prefix: text, count: atLeastOne, fqdn: text, port, ...serverOptionShape }),
);
const guards = {
    minServers: whole(1, 100_000).optional(),
    maxShrinkPercent: whole(0, 100).optional(),
    drain: text.optional(),
};

const setVarShape = { action: z.literal("set-var"), variable: text, expression: text };
const setVar = conditional(setVarShape);
const anyHttp = [
    conditional({ action: z.literal("allow") }),
    conditional({ action: z.enum(["set-header", "add-header"]), name: text, format: any }),
    conditional({ action: z.literal("del-header"), name: text }),
    conditional({
        action: z.enum(["replace-header", "replace-value"]),
        name: text,
        match: text,
        format: any,
    }),
    setVar,
    conditional({ action: z.literal("unset-var"), variable: text }),
] as const;
const reply = [
    conditional({ action: z.literal("deny"), status: status.optional() }),
    conditional({
        action: z.literal("return"),
        status: status.optional(),
        contentType: text.optional(),
        body: any.optional(),
        headers: z.record(text, any).optional(),
    }),
] as const;
const redirectShape = {
    action: z.literal("redirect"),
    code: z.literal([301, 302, 303, 307, 308]).optional(),
};
const redirect = z.union(
    [
        conditional({ ...redirectShape, location: text }),
        conditional({ ...redirectShape, prefix: text }),
        conditional({ ...redirectShape, scheme: text }),
    ],
    { message: "expected exactly one of location, prefix and scheme" },
);
const trackShape = {
    action: z.literal("track-sc"),
    counter: z.literal([0, 1, 2]),
    key: text.optional(),
    table: text.optional(),
};
const cacheStore = conditional({ action: z.literal("cache-store"), cache: text });
const setStatus = conditional({
    action: z.literal("set-status"),
    status,
    reason: text.optional(),
});
const requestActions = [
    conditional({ action: z.literal("reject") }),
    conditional({ action: z.literal("tarpit"), status: status.optional() }),
    conditional({ action: z.literal("auth"), realm: text.optional() }),
    conditional({
        action: z.enum(["set-path", "set-query", "set-uri", "set-method"]),
        format: any,
    }),
    conditional({ action: z.enum(["replace-path", "replace-uri"]), match: text, format: any }),
    conditional({ action: z.literal("cache-use"), cache: text }),
] as const;

export const httpRequestRule = formOf<HttpRequestRule>()(
    z.union([
        any,
        z.discriminatedUnion("action", [...anyHttp, ...reply, conditional(trackShape), ...requestActions]),
        redirect,
    ]),
);
const httpResponseRule = formOf<HttpResponseRule>()(
    z.union([any, z.discriminatedUnion("action", [...anyHttp, ...reply, setStatus, cacheStore]), redirect]),
);
const httpAfterResponseRule = formOf<HttpAfterResponseRule>()(
    z.union([any, z.discriminatedUnion("action", [...anyHttp, setStatus])]),
);
const at = { at: z.enum(["connection", "session", "content"]) };
const tcpRequestRule = formOf<TcpRequestRule>()(
    z.union([
        any,
        z.discriminatedUnion("action", [
            conditional({ ...at, action: z.enum(["accept", "reject"]) }),
            conditional({ ...at, action: z.literal("expect-proxy") }),
            conditional({ ...at, ...trackShape }),
            conditional({ ...at, ...setVarShape }),
        ]),
    ]),
);
const tcpResponseRule = formOf<TcpResponseRule>()(
    z.union([
        any,
        z.discriminatedUnion("action", [conditional({ action: z.enum(["accept", "reject", "close"]) }), setVar]),
    ]),
);

const acl = formOf<Acl>()(
    z.union(
        [
            z.strictObject({ name: text, host: texts }),
            z.strictObject({ name: text, path: texts }),
            z.strictObject({ name: text, pathBeg: texts }),
            z.strictObject({ name: text, criterion: text }),
        ],
        { message: "expected name and exactly one of host, path, pathBeg (lists) and criterion" },
    ),
);

const stickTable = formOf<StickTable>()(
    z.strictObject({
        type: z.enum(["ip", "ipv6", "integer", "string", "binary"]),
        length: atLeastOne.optional(),
        size: text,
        expire: text.optional(),
        store: texts.optional(),
        peers: text.optional(),
    }),
);
const stickRule = formOf<StickRule>()(
    conditional({
        rule: z.enum(["on", "match", "store-request", "store-response"]),
        pattern: text,
        table: text.optional(),
    }),
);
const cookie = formOf<Cookie>()(
    z.strictObject({
        name: text,
        mode: z.enum(["insert", "rewrite", "prefix"]).optional(),
        indirect: flag.optional(),
        nocache: flag.optional(),
        httponly: flag.optional(),
        secure: flag.optional(),
        domains: texts.optional(),
        maxidle: text.optional(),
        maxlife: text.optional(),
        attr: texts.optional(),
        dynamicKey: text.optional(),
    }),
);

const httpRequestShape = {
    method: text.optional(),
    version: z.enum(["HTTP/1.0", "HTTP/1.1"]).optional(),
    host: text.optional(),
};
const httpchk = formOf<Httpchk>()(z.strictObject({ ...httpRequestShape, uri: text, expect: text.optional() }));
const checkConnect = z.strictObject({
    step: z.literal("connect"),
    port: port.optional(),
    ssl: flag.optional(),
    sni: text.optional(),
    sendProxy: flag.optional(),
});
const httpCheck = formOf<HttpCheck>()(
    z.union([
        any,
        z.discriminatedUnion("step", [
            checkConnect,
            z.strictObject({
                step: z.literal("send"),
                ...httpRequestShape,
                uri: text,
                headers: z.record(text, any).optional(),
                body: any.optional(),
            }),
            z.strictObject({ step: z.literal("expect"), match: text }),
        ]),
    ]),
);
const tcpCheck = formOf<TcpCheck>()(
    z.union([
        any,
        z.discriminatedUnion("step", [checkConnect, z.strictObject({ step: z.literal("send"), data: any })]),
        z.union(
            [
                z.strictObject({ step: z.literal("expect"), string: any }),
                z.strictObject({ step: z.literal("expect"), rstring: any }),
            ],
            { message: "expected either string or rstring" },
        ),
    ]),
);
const protocolCheck = formOf<ProtocolCheck>()(
    z.discriminatedUnion("protocol", [
        z.strictObject({ protocol: z.literal("mysql"), user: text }),
        z.strictObject({ protocol: z.literal("pgsql"), user: text }),
        z.strictObject({ protocol: z.enum(["redis", "ldap", "ssl-hello"]) }),
        z.strictObject({
            protocol: z.literal("smtp"),
            hello: z.enum(["HELO", "EHLO"]).optional(),
            domain: text.optional(),
        }),
    ]),
);

const proxyShape = {
    name: text,
    from: text.optional(),
    stickTable: stickTable.optional(),
    mode: mode.optional(),
    timeouts: timeouts.optional(),
    compression: z.strictObject({ algo: texts.optional(), type: texts, offload: flag.optional() }).optional(),
    errorfiles: text.optional(),
    acls: z.array(acl).optional(),
    raw: lines.optional(),
    tcpRequestRules: z.array(tcpRequestRule).optional(),
    httpRequestRules: z.array(httpRequestRule).optional(),
    httpResponseRules: z.array(httpResponseRule).optional(),
    httpAfterResponseRules: z.array(httpAfterResponseRule).optional(),
};
formOf<ProxySection>()(z.strictObject(proxyShape));
const frontendShape = {
    ...proxyShape,
    binds: z.array(bind),
    maxconn: count.optional(),
    options: options.optional(),
    useBackends: z.array(conditional({ backend: text })).optional(),
    defaultBackend: text.optional(),
};
const backendShape = {
    ...proxyShape,
    ...guards,
    balance: text.optional(),
    options: options.optional(),
    httpchk: httpchk.optional(),
    httpChecks: z.array(httpCheck).optional(),
    tcpChecks: z.array(tcpCheck).optional(),
    protocolCheck: protocolCheck.optional(),
    cookie: cookie.optional(),
    stickRules: z.array(stickRule).optional(),
    useServers: z.array(conditional({ server: text })).optional(),
    defaultServer: serverOptions.optional(),
    servers: z.array(server),
    serverTemplates: z.array(serverTemplate).optional(),
    tcpResponseRules: z.array(tcpResponseRule).optional(),
};
const frontend = formOf<Frontend>()(z.strictObject(frontendShape));
const backend = formOf<Backend>()(z.strictObject(backendShape));
const listen = formOf<Listen>()(z.strictObject({ ...frontendShape, ...backendShape }));

export const globalShape = {
    maxconn: atLeastOne.optional(),
    hardStopAfter: text.optional(),
    mworkerMaxReloads: atLeastOne.optional(),
    chroot: text.optional(),
    user: text.optional(),
    group: text.optional(),
    log: z
        .array(
            z.strictObject({
                address: text,
                facility: z.enum(logFacilities).optional(),
                level: z.enum(logLevels).optional(),
            }),
        )
        .optional(),
    statsSockets: z
        .array(
            z.strictObject({
                path: text,
                mode: text.optional(),
                level: z.enum(["user", "operator", "admin"]).optional(),
                user: text.optional(),
                group: text.optional(),
            }),
        )
        .optional(),
    statsTimeout: text.optional(),
    raw: lines.optional(),
};
export const global = formOf<Global>()(z.strictObject(globalShape));
const defaultsShape = {
    mode: mode.optional(),
    balance: text.optional(),
    retries: count.optional(),
    options: options.optional(),
    timeouts: timeouts.optional(),
    raw: lines.optional(),
};
export const defaults = formOf<Defaults>()(z.strictObject(defaultsShape));
export const statsShape = { bind: portBind, uri: text.optional(), refresh: text.optional() };
const stats = formOf<Stats>()(
    z.strictObject({
        ...statsShape,
        auth: z.array(z.strictObject({ user: text, password: text })).optional(),
    }),
);

const userlist = formOf<Userlist>()(
    z.strictObject({
        name: text,
        groups: z.array(z.strictObject({ name: text, users: texts.optional() })).optional(),
        users: z.array(z.strictObject({ name: text, password: text, insecure: flag.optional() })),
    }),
);
const peers = formOf<Peers>()(
    z.strictObject({
        name: text,
        peers: z.array(z.strictObject({ name: text.optional(), address: text, port })),
        raw: lines.optional(),
    }),
);
const resolvers = formOf<Resolvers>()(
    z.strictObject({
        name: text,
        nameservers: z.array(z.strictObject({ name: text, address: text, port: port.optional() })),
        parseResolvConf: flag.optional(),
        resolveRetries: atLeastOne.optional(),
        timeouts: z.strictObject({ resolve: text.optional(), retry: text.optional() }).optional(),
        hold: z
            .strictObject({
                valid: text.optional(),
                obsolete: text.optional(),
                nx: text.optional(),
                other: text.optional(),
                refused: text.optional(),
                timeout: text.optional(),
            })
            .optional(),
        acceptedPayloadSize: whole(512, 65_535).optional(),
        raw: lines.optional(),
    }),
);
const mailers = formOf<Mailers>()(
    z.strictObject({
        name: text,
        mailers: z.array(z.strictObject({ name: text, address: text, port: port.optional() })),
        timeout: text.optional(),
    }),
);
const cache = formOf<Cache>()(
    z.strictObject({
        name: text,
        totalMaxSize: whole(1, 4095),
        maxObjectSize: atLeastOne.optional(),
        maxAge: atLeastOne.optional(),
        processVary: flag.optional(),
    }),
);
const httpErrors = formOf<HttpErrors>()(
    z.strictObject({
        name: text,
        errorfiles: z.record(text, z.union([text, z.strictObject({ content: any })])),
    }),
);
const mapFile = formOf<MapFile>()(
    z.strictObject({ name: text, entries: z.array(z.strictObject({ key: text, value: any.optional() })) }),
);

export const haproxyConfig = formOf<HaproxyConfig>()(
    z.strictObject({
        version: release,
        global: global.optional(),
        defaults: defaults.optional(),
        frontends: z.array(frontend),
        backends: z.array(backend),
        listens: z.array(listen).optional(),
        namedDefaults: z.array(z.strictObject({ name: text, ...defaultsShape })).optional(),
        userlists: z.array(userlist).optional(),
        peers: z.array(peers).optional(),
        resolvers: z.array(resolvers).optional(),
        mailers: z.array(mailers).optional(),
        caches: z.array(cache).optional(),
        httpErrors: z.array(httpErrors).optional(),
        maps: z.array(mapFile).optional(),
        stats: stats.optional(),
    }),
);

/** Where a model does not have its form; empty if it has it. */
export const modelFormIssues = remembering((config: unknown): readonly FormIssue[] =>
    formIssues(haproxyConfig, config),
);
